"""Writes the trained demo model as a GGUF file (F16) with the keys and names of Gemma 4."""
import argparse
import os

import gguf
import numpy as np
import torch

from model import Config, Gemma4
from tokenizer import Tokenizer

CONTEXT = 1024


def load(path):
    """Returns the model of a checkpoint."""
    state = torch.load(path, weights_only=True, map_location="cpu")
    model = Gemma4(Config(**state["config"]))
    model.load_state_dict(state["model"])
    return model.eval(), state["step"]


def write(model, tok, path):
    c = model.config
    w = gguf.GGUFWriter(path, "gemma4")
    w.add_name("Pelican demo")
    w.add_description("A toy trained from scratch on generated dialogues to show the engine at work.")
    w.add_uint32("gemma4.block_count", c.layers)
    w.add_uint32("gemma4.context_length", CONTEXT)
    w.add_uint32("gemma4.embedding_length", c.width)
    w.add_array("gemma4.feed_forward_length", [c.ffn_of(i) for i in range(c.layers)])
    w.add_uint32("gemma4.attention.head_count", c.heads)
    w.add_uint32("gemma4.attention.head_count_kv", c.kv_heads)
    w.add_float32("gemma4.attention.layer_norm_rms_epsilon", c.eps)
    for name in ("key_length", "value_length"):
        w.add_uint32(f"gemma4.attention.{name}", c.head_full)
        w.add_uint32(f"gemma4.attention.{name}_swa", c.head_sliding)
    w.add_uint32("gemma4.attention.sliding_window", c.window)
    w.add_array("gemma4.attention.sliding_window_pattern", [k == "S" for k in c.pattern])
    w.add_uint32("gemma4.attention.shared_kv_layers", c.shared)
    w.add_uint32("gemma4.embedding_length_per_layer_input", c.per_layer)
    w.add_float32("gemma4.rope.freq_base", c.base_full)
    w.add_float32("gemma4.rope.freq_base_swa", c.base_sliding)
    w.add_uint32("gemma4.rope.dimension_count", c.head_full)
    w.add_uint32("gemma4.rope.dimension_count_swa", c.head_sliding)
    w.add_float32("gemma4.final_logit_softcapping", c.softcap)
    w.add_tokenizer_model("gemma4")
    w.add_array("tokenizer.ggml.tokens", tok.tokens)
    w.add_array("tokenizer.ggml.scores", [0.0] * len(tok.tokens))
    w.add_array("tokenizer.ggml.token_type", tok.types)
    w.add_array("tokenizer.ggml.merges", [f"{a} {b}" for a, b in tok.merges])
    w.add_bos_token_id(2)
    w.add_eos_token_id(tok.ids["<turn|>"])
    w.add_unk_token_id(3)
    w.add_pad_token_id(0)
    w.add_add_bos_token(True)
    w.add_add_space_prefix(False)
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "chat_template.jinja"), encoding="utf-8") as f:
        w.add_chat_template(f.read().rstrip("\n"))
    w.add_quantization_version(2)
    w.add_file_type(1)
    full = c.pattern.index("G")
    w.add_tensor("rope_freqs.weight", c.frequencies(full).numpy().astype(np.float32))
    for name, value in model.state_dict().items():
        kind = np.float16 if value.ndim > 1 else np.float32
        array = value.float().numpy().astype(kind)
        if not np.isfinite(array).all():
            raise ValueError(f"{name}: values beyond {kind.__name__}")
        w.add_tensor(name + ".weight", array)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def main():
    p = argparse.ArgumentParser(description="Writes the trained demo model as GGUF.")
    p.add_argument("checkpoint")
    p.add_argument("out")
    p.add_argument("--tokenizer", default="tokenizer.json")
    args = p.parse_args()
    model, step = load(args.checkpoint)
    write(model, Tokenizer.load(args.tokenizer), args.out)
    print(f"{args.out}: step {step}, {os.path.getsize(args.out):,} bytes")


if __name__ == "__main__":
    main()
