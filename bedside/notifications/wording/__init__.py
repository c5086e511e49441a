"""The words of messages as the desk may change them: what they may say, say by default, and say now."""
