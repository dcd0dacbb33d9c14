"""The pipeline of the embedded model: corpus, tokenizer, pre-training, dialogues, export."""
