"""Makes tokenizer.json of the simulated model: a small byte-level BPE, learned from this repository's own documents.

python3 -m venv .venv && .venv/bin/pip install tokenizers && .venv/bin/python sim/grpc/tokenizer/train.py

The tokens change with the documents; nothing depends on particular ids, but caches of prompts do: retrain only for a
reason. Regular expression: that of the Qwen family, which most tokenizers of today resemble.
"""

import json
import pathlib

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[2]
SIZE = 3000
PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|\s?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
VISIBLE = ["<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<think>", "</think>"]

files = sorted(
    str(path)
    for path in ROOT.rglob("*.md")
    if not {"node_modules", "fixtures"} & set(path.relative_to(ROOT).parts)
)
tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
    [
        pre_tokenizers.Split(Regex(PATTERN), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ]
)
tokenizer.decoder = decoders.ByteLevel()
tokenizer.train(
    files,
    trainers.BpeTrainer(
        vocab_size=SIZE - len(SPECIAL) - len(VISIBLE),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    ),
)
tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL])
tokenizer.add_tokens([AddedToken(token, special=False, normalized=False) for token in VISIBLE])
text = json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, separators=(",", ":"))
(HERE / "tokenizer.json").write_text(text + "\n", encoding="utf-8")
print(tokenizer.get_vocab_size(), "tokens,", len(text), "characters;", {t: tokenizer.token_to_id(t) for t in SPECIAL})
