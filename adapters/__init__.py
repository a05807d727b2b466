"""What is learned about the user: fast memory, LoRA, corpus, training round, gate, export."""
