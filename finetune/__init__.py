"""Fine-tuning: QLoRA adapters for text-to-SQL, from the same prompts that the benchmark uses.

This version ships no training verb yet; adapters made with PEFT elsewhere are benchmarked with `hf/MODEL+ADAPTER_DIR`.
"""
