"""The running bot for the tests of this folder."""

from tests.bot.fixtures import bot, desk, model, talk

__all__ = ["bot", "desk", "model", "talk"]
