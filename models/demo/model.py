"""The Gemma 4 architecture (E2B's shape) in torch, small: per-layer embeddings, shared keys and
values, sliding-window and full attention, double-wide feed-forward in the sharing layers."""
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass
class Config:
    vocab: int = 1280
    width: int = 256            # H
    ffn: int = 512              # doubled in layers that share keys and values
    heads: int = 4
    kv_heads: int = 1
    head_full: int = 128
    head_sliding: int = 64
    window: int = 128
    pattern: str = "SSGSSG"     # S: sliding window, G: full ("global") attention
    shared: int = 3             # the last layers own no keys and values
    per_layer: int = 256        # P
    eps: float = 1e-6
    base_full: float = 1e6
    base_sliding: float = 1e4
    softcap: float = 30.0

    @property
    def layers(self):
        return len(self.pattern)

    def owner(self, layer):
        """The layer whose keys and values this layer reads."""
        own = self.layers - self.shared
        if layer < own:
            return layer
        return max(i for i in range(own) if self.pattern[i] == self.pattern[layer])

    def head(self, layer):
        return self.head_full if self.pattern[layer] == "G" else self.head_sliding

    def ffn_of(self, layer):
        return self.ffn * (2 if layer >= self.layers - self.shared else 1)

    def frequencies(self, layer):
        """RoPE's frequency factors: only the first quarter of a full layer's pairs rotates."""
        n = self.head(layer) // 2
        if self.pattern[layer] == "S":
            return torch.ones(n)
        return torch.where(torch.arange(n) < n // 2 // 2, 1.0, 1e30)


def rms(x, weight=None, eps=1e-6):
    return F.rms_norm(x.float(), (x.shape[-1],), weight, eps)


def rope_table(config, layer, length):
    """Cosines and sines, each of shape [length, head / 2]."""
    d = config.head(layer)
    base = config.base_full if config.pattern[layer] == "G" else config.base_sliding
    angle = base ** (-2.0 * torch.arange(d // 2, dtype=torch.float64) / d)
    angle = torch.arange(length, dtype=torch.float64)[:, None] * (angle / config.frequencies(layer))
    return angle.cos().float(), angle.sin().float()


def rotate(x, cos, sin):
    """x: [batch, heads, length, head]; pairs (i, i + head / 2)."""
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


class Layer(nn.Module):
    def __init__(self, c, index):
        super().__init__()
        self.c, self.index, self.owns = c, index, c.owner(index) == index
        d, h, p, f = c.head(index), c.width, c.per_layer, c.ffn_of(index)

        def linear(rows, columns, scale=1.0):
            return nn.Parameter(torch.randn(rows, columns) * scale * columns ** -0.5)

        def norm(n, value=1.0):
            return nn.Parameter(torch.full((n,), value))

        self.attn_norm = norm(h)
        self.attn_q = linear(c.heads * d, h)
        self.attn_q_norm = norm(d, d ** -0.25)
        if self.owns:
            self.attn_k = linear(c.kv_heads * d, h)
            self.attn_k_norm = norm(d, d ** -0.25)
            self.attn_v = linear(c.kv_heads * d, h)
        self.attn_output = linear(h, c.heads * d)
        self.post_attention_norm = norm(h, 0.5)
        self.ffn_norm = norm(h)
        self.ffn_gate = linear(f, h)
        self.ffn_up = linear(f, h)
        self.ffn_down = linear(h, f)
        self.post_ffw_norm = norm(h, 0.5)
        self.inp_gate = linear(p, h)
        self.proj = linear(h, p)
        self.post_norm = norm(h, 0.3)
        self.layer_output_scale = nn.Parameter(torch.ones(1))

    def forward(self, x, ple, kv, mask, rope):
        c, (batch, length, _) = self.c, x.shape
        d = c.head(self.index)
        h = rms(x, self.attn_norm, c.eps)
        q = F.linear(h, self.attn_q).view(batch, length, c.heads, d).transpose(1, 2)
        q = rotate(rms(q, self.attn_q_norm, c.eps), *rope)
        if self.owns:
            k = F.linear(h, self.attn_k).view(batch, length, c.kv_heads, d).transpose(1, 2)
            k = rotate(rms(k, self.attn_k_norm, c.eps), *rope)
            v = F.linear(h, self.attn_v).view(batch, length, c.kv_heads, d).transpose(1, 2)
            kv[self.index] = (k, rms(v, None, c.eps))
        k, v = kv[c.owner(self.index)]
        repeat = c.heads // c.kv_heads
        k, v = (t.repeat_interleave(repeat, 1) if c.kv_heads > 1 else t.expand(-1, c.heads, -1, -1)
                for t in (k, v))
        o = F.scaled_dot_product_attention(q, k, v.to(q.dtype), attn_mask=mask, scale=1.0)
        o = F.linear(o.transpose(1, 2).reshape(batch, length, c.heads * d), self.attn_output)
        x = x + rms(o, self.post_attention_norm, c.eps)
        h = rms(x, self.ffn_norm, c.eps)
        f = F.gelu(F.linear(h, self.ffn_gate), approximate="tanh") * F.linear(h, self.ffn_up)
        x = x + rms(F.linear(f, self.ffn_down), self.post_ffw_norm, c.eps)
        g = F.gelu(F.linear(x, self.inp_gate), approximate="tanh") * ple
        x = x + rms(F.linear(g, self.proj), self.post_norm, c.eps)
        return x * self.layer_output_scale


class Gemma4(nn.Module):
    def __init__(self, config):
        super().__init__()
        c = self.config = config
        self.token_embd = nn.Parameter(torch.randn(c.vocab, c.width) * c.width ** -0.5)
        wide = c.layers * c.per_layer
        self.per_layer_token_embd = nn.Parameter(torch.randn(c.vocab, wide) * c.per_layer ** -0.5)
        self.per_layer_model_proj = nn.Parameter(torch.randn(wide, c.width) * c.width ** -0.5)
        self.per_layer_proj_norm = nn.Parameter(torch.ones(c.per_layer))
        self.blk = nn.ModuleList(Layer(c, i) for i in range(c.layers))
        self.output_norm = nn.Parameter(torch.ones(c.width))
        self.tables = {}

    def rope(self, layer, length):
        kind = self.config.pattern[layer]
        if kind not in self.tables or self.tables[kind][0].shape[0] < length:
            table = rope_table(self.config, layer, max(length, 512))
            self.tables[kind] = tuple(t.to(self.token_embd.device) for t in table)
        return tuple(t[:length] for t in self.tables[kind])

    def masks(self, documents):
        """Additive masks from document numbers, shape [batch, length]: {kind: [batch,1,T,T]}."""
        length = documents.shape[1]
        t = torch.arange(length, device=documents.device)
        full = (documents[:, :, None] == documents[:, None, :]) & (t[:, None] >= t[None, :])
        sliding = full & (t[None, :] > t[:, None] - self.config.window)
        return {k: torch.zeros(m.shape, device=m.device).masked_fill_(~m, -1e9)[:, None]
                for k, m in (("G", full), ("S", sliding))}

    def hidden(self, ids, documents=None):
        """Final normed states, shape [batch, length, width]."""
        c = self.config
        batch, length = ids.shape
        masks = self.masks(torch.zeros_like(ids) if documents is None else documents)
        x = F.embedding(ids, self.token_embd) * c.width ** 0.5
        ple = F.linear(x, self.per_layer_model_proj) * c.width ** -0.5
        ple = rms(ple.view(batch, length, c.layers, c.per_layer), self.per_layer_proj_norm, c.eps)
        own = F.embedding(ids, self.per_layer_token_embd).view(ple.shape) * c.per_layer ** 0.5
        ple = (ple + own) * 2 ** -0.5
        kv, ple = {}, ple.unbind(2)
        for i, layer in enumerate(self.blk):
            mask = masks[c.pattern[i]].to(x.dtype)
            x = layer(x, ple[i], kv, mask, self.rope(i, length))
        return rms(x, self.output_norm, c.eps)

    def logits(self, hidden):
        c = self.config
        return c.softcap * torch.tanh(F.linear(hidden, self.token_embd).float() / c.softcap)

    def forward(self, ids, documents=None):
        return self.logits(self.hidden(ids, documents))

    def describe(self):
        return asdict(self.config)
