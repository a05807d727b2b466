"""The compact base model: fetch, tokenizer, ONNX graph, inference session, torch twin."""
