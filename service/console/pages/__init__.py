"""The pages of the console, one module each; ``service.console.mount`` imports them all."""
