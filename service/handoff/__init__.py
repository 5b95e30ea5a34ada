"""Who answers a conversation: the bot, the queue, a person; and how it changes hands."""
