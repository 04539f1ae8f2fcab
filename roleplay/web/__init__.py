"""The page: the only part that knows gradio. Nothing here decides anything about a call; the room does."""
