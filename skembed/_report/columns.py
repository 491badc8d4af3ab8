"""All that a report says of the tokens of one column, as facts and arrays."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from numbers import Real

import numpy as np
from sklearn.base import is_classifier

from .. import _settings as settings
from .._data.cells import text
from .._data.wording import label, one_line
from .._plot import _map
from .._plot._fitted import finder, token_labels
from .._space.metadata import metadata_names, metadata_values
from .._space.ties import neighbors_and_ties
from .._space.token_tables import TokenTable, column_values
from .effects import effects_of, half_width, outcome_map, reduced_map
from .outcomes import row_outcomes
from .reference import made_up_rows, reference_rows

__all__ = ["Subject", "describe", "thinned"]


@dataclass(frozen=True, eq=False)
class Subject:
    """What a report is about.

    Attributes
    ----------
    estimator : estimator
        The predictor.
    similarity : TokenSimilarity or None
        Where the user passed one: its distances are shown.
    tables : list of TokenTable
        All columns of tokens.
    X : table or None
        Rows, as `as_table` returns them.
    outcomes : ndarray of shape (n_rows, n_outputs) or None
        Their outcomes, as the estimator predicts them.
    outcome_name : str or None
        Name of the outcome.
    labels : dict, callable or None
    reducer : transformer or None
    """

    estimator: object
    similarity: object
    tables: list
    X: object = None
    outcomes: np.ndarray | None = None
    outcome_name: str | None = None
    labels: object = None
    reducer: object = None


def thinned(table):
    """Return the table of the most frequent tokens, and a note if some are left out."""
    n_all, n = len(table), settings.REPORT_TOKENS
    if n_all <= n:
        return table, None
    keep = np.argsort(-table.counts, kind="stable")[:n]
    if table.unknown >= 0 and table.unknown not in keep:
        keep[-1] = table.unknown
    keep = np.sort(keep)
    place = {code: at for at, code in enumerate(keep.tolist())}
    pooled = table.pooled
    if pooled is not None:
        pooled = np.array([place[c] for c in pooled.tolist() if c in place], np.int64)
        pooled = pooled if len(pooled) else None
    rows = table.counts[keep].sum() / table.counts.sum()
    note = (
        f"The {n:,} most frequent of {n_all:,} tokens are shown; they are in "
        f"{100 * rows:.1f} % of the rows. Neighbours are searched among them."
    )
    few = TokenTable.of_tokens(
        table.tokens[keep],
        table.name,
        table.column,
        table.vectors[keep],
        spreads=None if table.spreads is None else table.spreads[keep],
        counts=table.counts[keep],
        prior_scale=table.prior_scale,
        unknown=place.get(table.unknown, -1),
        pooled=pooled,
        refuses_unknown=table.refuses_unknown,
        reader=table.reader,
    )
    return few, note


def describe(subject, table, metadata=None, progress=lambda text: None):
    """Return (facts for JSON, arrays) of one column.

    Parameters
    ----------
    subject : Subject
    table : TokenTable
        The column, with all its tokens.
    metadata : dict or dataframe, default=None
        More that is known of its tokens.
    progress : callable
        Called with what is being done.
    """
    extra, values = _metadata(table, metadata)
    full = table
    table, note = thinned(full)
    notes = [] if note is None else [note]
    if len(table) < len(full):
        kept = full.codes(table.tokens)
        values = {name: column[kept] for name, column in values.items()}
    progress("effects")
    if subject.X is not None:
        rows = reference_rows(subject.estimator, table, subject.X)
    else:
        made_up = made_up_rows(subject.estimator, subject.tables)
        rows = reference_rows(subject.estimator, table, made_up)
        if len(rows) > 1:
            notes.append(
                f"X was not given: effects are means over {len(rows)} rows that were "
                "made up, every column drawn by itself as fit has seen it."
            )
    effects = effects_of(rows, table)
    shown = _outputs(subject, effects.mean.shape[1])
    facts = {
        "name": label(table.name),
        "total": len(full),
        "coverage": settings.REPORT_COVERAGE,
        "halfWidth": float(half_width()),
        "confidence": settings.REPORT_CONFIDENCE,
        "outputs": [name for _, name in shown],
        "isProbability": is_classifier(subject.estimator),
        "base": [float(effects.base[k]) for k, _ in shown],
        "nReference": len(rows),
        "unknown": _unknown(effects, table, [k for k, _ in shown]),
        "priorScale": [] if table.prior_scale is None else _floats(table.prior_scale),
        "metadata": extra,
        "pooled": 0 if table.pooled is None else len(table.pooled),
        **_names(subject, table),
    }
    outputs = [k for k, _ in shown]
    arrays = {
        "count": table.counts.astype(np.float32),
        "effect": effects.mean[:, outputs].astype(np.float32),
        "vector": np.asarray(table.vectors, dtype=np.float32),
        **values,
    }
    if effects.std is not None:
        arrays["std"] = effects.std[:, outputs].astype(np.float32)
        arrays["vectorStd"] = table.spreads.astype(np.float32)
    if table.pooled is not None:
        is_pooled = np.zeros(len(table), np.uint8)
        is_pooled[table.pooled] = 1
        arrays["pooled"] = is_pooled
    progress("map")
    maps = _maps(subject, effects, table)
    facts["maps"] = [_map_facts(positions) for positions in maps]
    for k, positions in enumerate(maps):
        arrays[f"xy{k}"] = positions.xy.astype(np.float32)
        if positions.covariances is not None:
            cov = positions.covariances.reshape(-1, 4)[:, [0, 1, 3]]
            arrays[f"cov{k}"] = cov.astype(np.float32)
    facts.update(
        _neighbors(subject, effects, table, note is not None, arrays, progress)
    )
    if subject.outcomes is not None:
        progress("outcomes")
        by_token = replace(table, unknown=-1, refuses_unknown=False)
        codes, rows_of = column_values(by_token, subject.X)
        found = row_outcomes(codes, subject.outcomes[rows_of], len(table))
        arrays["nRows"] = found.n_rows.astype(np.int32)
        arrays["rawMean"] = found.mean[:, outputs].astype(np.float32)
        if found.values is not None:
            arrays["outcomeStart"] = found.starts.astype(np.int32)
            arrays["outcome"] = found.values
    facts["notes"] = notes
    return facts, arrays


def _floats(values):
    return [float(v) for v in values]


def _outputs(subject, n_outputs):
    """Return (position, name) of the outcomes that are shown."""
    if is_classifier(subject.estimator):
        classes = [
            label(text(c)) for c in np.asarray(subject.estimator.classes_).tolist()
        ]
        names = [f"probability of {c}" for c in classes]
        if n_outputs == 2:  # the one says all of the other
            return [(1, names[1])]
    else:
        name = label(subject.outcome_name or "outcome")
        names = [name] if n_outputs == 1 else [f"{name} {k}" for k in range(n_outputs)]
    return list(enumerate(names))[: settings.REPORT_OUTPUTS]


def _unknown(effects, table, outputs):
    std = effects.unknown_std
    return {
        "effect": _floats(effects.unknown[outputs]),
        "std": None if std is None else _floats(std[outputs]),
        "isRefused": effects.refuses_unknown,
        "isPooled": table.unknown >= 0,
    }


def _names(subject, table):
    """Return names to draw and, where they say more, the tokens in full."""
    names = [
        one_line(n)
        for n in token_labels(table.tokens, subject.labels, settings.REPORT_TEXT)
    ]
    full = [_cut(_TURNS.sub(_written, text(t))) for t in table.tokens.tolist()]
    several = Counter(names)
    # Two tokens of one name are told apart by what they are.
    names = [
        _cut(name if several[name] == 1 or name == token else f"{name} ({token})")
        for name, token in zip(names, full, strict=True)
    ]
    return {"names": names, "tokens": None if names == full else full}


# What turns the direction of the text after it, whatever script that is in.
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def _plain(name):
    """Write on one line what would end the line or turn the text around."""
    return _TURNS.sub(_written, one_line(name))


def _written(found):
    return found[0].encode("unicode_escape").decode()


def _cut(name):
    if len(name) <= settings.REPORT_TEXT:
        return name
    half = settings.REPORT_TEXT // 2
    more = len(name) - 2 * half
    return f"{name[:half]} … {more:,} characters more … {name[-half:]}"


def _maps(subject, effects, table):
    """Return the user's map, that of the outcome, and that of the vectors alone."""
    maps = [outcome_map(effects, table)]
    vectors = np.asarray(table.vectors, dtype=np.float64)
    if len(table) > 1:
        found = _map.reduce(vectors, None)
        maps.append(reduced_map(found, table, "vectors (PCA)"))
    if subject.reducer is not None:
        found = _map.reduce(vectors, subject.reducer)
        maps.insert(0, reduced_map(found, table, type(subject.reducer).__name__))
    return maps


def _map_facts(positions):
    cov = positions.unknown_covariance
    return {
        "name": positions.name,
        "axes": list(positions.axes),
        "equal": positions.equal,
        "unknown": None if positions.unknown is None else _floats(positions.unknown),
        "unknownCov": None if cov is None else _floats([*cov[0], cov[1, 1]]),
    }


def _neighbors(subject, effects, table, is_thinned, arrays, progress):
    """Add the nearest tokens to the arrays; return what their distance is."""
    space = effects.space
    if subject.similarity is not None and not is_thinned:
        space = subject.similarity._space(table.column)
    budget = settings.REPORT_LIST_BYTES // (8 * len(table))
    n = min(settings.REPORT_NEIGHBORS, max(budget, 3), len(table) - 1)
    if n >= 1:
        found, distances, tied = neighbors_and_ties(
            space,
            n,
            settings.REPORT_CONFIDENCE,
            lambda share: progress(f"neighbours, {100 * share:.0f} %"),
        )
        arrays["neighbor"] = found.astype(np.int32)
        arrays["distance"] = distances.astype(np.float32)
        if tied is not None:
            arrays["tied"] = tied.astype(np.uint8)
    return {"metric": space.metric, "nNeighbors": n}


def _metadata(table, metadata):
    """Return facts and arrays of what the user says of the tokens."""
    if metadata is None:
        return [], {}
    facts, arrays = [], {}
    for k, name in enumerate(metadata_names(metadata)):
        values = metadata[name]
        if isinstance(values, Mapping):
            find = finder(values)
            values = [find(token, None) for token in table.tokens.tolist()]
        else:
            values = metadata_values(table, name, values)
        fact, array = _typed(values)
        facts.append({"name": label(text(name)), "array": f"meta{k}", **fact})
        arrays[f"meta{k}"] = array
    return facts, arrays


def _typed(values):
    """Return what kind of column it is, and its numbers or codes."""
    known = [v for v in values if not _is_missing(v)]
    is_bool = (bool, np.bool_)
    if known and all(isinstance(v, Real) and not isinstance(v, is_bool) for v in known):
        numbers = [np.nan if _is_missing(v) else float(v) for v in values]
        return {"kind": "number"}, np.array(numbers, dtype=np.float32)
    names = [None if _is_missing(v) else label(text(v)) for v in values]
    distinct, counts = np.unique(
        [n for n in names if n is not None], return_counts=True
    )
    # The most frequent first: they get the colours.
    listed = distinct[np.argsort(-counts, kind="stable")].tolist()
    code = {name: k for k, name in enumerate(listed)}
    codes = np.array([code.get(name, -1) for name in names], dtype=np.int32)
    return {"kind": "category", "categories": listed}, codes


def _is_missing(value):
    return value is None or value != value or type(value).__name__ == "NAType"
