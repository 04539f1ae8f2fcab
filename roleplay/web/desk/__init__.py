"""The trainer's side of the page: a page of its own, which nobody without a right on it can open or call."""
