"""Practice room for call-centre staff: a model plays the customer, a grader scores every answer.

Importing this package loads none of torch, transformers, chromadb, gradio, sentence_transformers.
"""

__version__ = "0.1.0"
