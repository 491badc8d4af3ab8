"""The questions one can ask a fitted TokenSimilarity about tokens."""

from __future__ import annotations

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .checks import check_count, check_flag, check_many, check_share
from .metrics import pairwise
from .neighbors import nearest, nearest_by_transformer
from .queries import TokenMix, answer, as_amounts, as_queries, broadcast_codes
from .token_tables import select_table

__all__ = ["TokenQuestionsMixin"]


class TokenQuestionsMixin:
    """Nearest tokens, vector arithmetic and probabilities of a TokenSimilarity."""

    def similarities(self, token, *, feature=None, handle_unknown="error"):
        """Compute the distances from one token to every token of its column.

        Parameters
        ----------
        token : object
            The token.
        feature : str or int, default=None
            Its column, by name or index; not needed if there is only one.
        handle_unknown : {"error", "prior"}, default="error"
            How an unknown token is treated: as an error, or as the prior.

        Returns
        -------
        distances : ndarray of shape (n_tokens,), float64
            In the order of the column's `categories_`.

        Raises
        ------
        ValueError
            If the token is unknown (the message names the nearest spelling), or if
            there are several columns and `feature` does not say which.

        Examples
        --------
        >>> from skembed import TokenSimilarity
        >>> X = [["a"], ["b"], ["c"]] * 20
        >>> y = [0.1, 1.0, 5.0] * 20
        >>> similarity = TokenSimilarity(metric="outcome", random_state=0).fit(X, y)
        >>> similarity.similarities("a").argsort()
        array([0, 1, 2])
        """
        space = self._space(feature)
        query = space.points(space.table.known_codes([token], handle_unknown))
        points = np.asarray(space.search_points(), dtype=np.float64)
        return pairwise(self.metric, query, points)[0]

    def neighbors_of(self, tokens, n=10, *, feature=None, handle_unknown="error"):
        """Find the nearest other tokens for each of several tokens.

        Parameters
        ----------
        tokens : array-like of shape (n_queries,)
            Tokens of one column.
        n : int, default=10
            Number of neighbours; at most the number of other tokens.
        feature : str or int, default=None
            The column of the tokens, by name or index; not needed if there is only one.
        handle_unknown : {"error", "prior"}, default="error"
            How an unknown token is treated: as an error, or as the prior.

        Returns
        -------
        distances : ndarray of shape (n_queries, n), float64
            Nearest first.
        neighbors : ndarray of shape (n_queries, n)
            The tokens at those distances.

        Raises
        ------
        ValueError
            As for `similarities`, or if `n` is out of range.

        Notes
        -----
        The search is exact. Only if `neighbors` was given and `targets` was not, that
        transformer proposes the neighbours.

        Examples
        --------
        >>> from skembed import TokenSimilarity
        >>> X = [["a"], ["b"], ["c"]] * 20
        >>> y = [0.1, 1.0, 5.0] * 20
        >>> similarity = TokenSimilarity(metric="outcome", random_state=0).fit(X, y)
        >>> distances, neighbors = similarity.neighbors_of(["a", "c"], n=1)
        >>> neighbors.tolist()
        [['b'], ['b']]
        """
        space = self._space(feature)
        check_many("tokens", tokens)
        codes = space.table.known_codes(tokens, handle_unknown)
        n_others = len(space.table) - 1
        n = check_count("n", n)
        if n > n_others:
            raise ValueError(
                f"n={n} must be between 1 and {n_others}, the number of other tokens."
            )
        distances, found = self._search(space, codes, n + 1)
        # push the token itself, wherever it came out, behind the others
        own = found == codes[:, None]
        order = np.argsort(own, axis=1, kind="stable")[:, :n]
        found = np.take_along_axis(found, order, axis=1)
        return np.take_along_axis(distances, order, axis=1), space.table.tokens[found]

    def _search(self, space, codes, n):
        queries = space.points(codes)
        transformer = self._transformers[self._spaces.index(space)]
        if transformer is None or self.targets is not None:
            return nearest(self.metric, space.search_points(), queries, n)
        points = space.search_points()
        rows, columns, gaps = nearest_by_transformer(
            transformer, self.metric, points, queries, n
        )
        least = np.bincount(rows, minlength=len(codes)).min()
        if least < n:
            raise ValueError(
                f"The neighbours transformer proposed {least} tokens where {n} are "
                f"needed: give it n_neighbors={n} or ask for fewer."
            )
        return gaps.reshape(-1, n), columns.reshape(-1, n)

    def most_similar(
        self,
        positive=None,
        negative=None,
        n=10,
        *,
        feature=None,
        handle_unknown="error",
        return_tied=False,
        confidence=0.95,
    ):
        """Find the tokens nearest to a token or to a sum and difference of tokens.

        Parameters
        ----------
        positive, negative : token, list of tokens or list of lists, default=None
            Tokens to add and tokens to subtract. A token or a list of tokens is one
            query; a list of lists is several queries.
        n : int, default=10
            Number of answers; fewer if there are not that many tokens.
        feature : str or int, default=None
            The column of the tokens, by name or index; not needed if there is only one.
        handle_unknown : {"error", "prior"}, default="error"
            How an unknown token is treated: as an error, or as the prior.
        return_tied : bool, default=False
            Whether to report, for each answer, if the data cannot distinguish it from
            the next one.
        confidence : float, default=0.95
            An answer is tied with the next one if the probability that it is the
            nearer of the two is below this level.

        Returns
        -------
        neighbors : list of (token, distance), or a list of such lists
            Nearest first, without the tokens of the query. With `return_tied`, triples
            (token, distance, tied).

        Raises
        ------
        ValueError
            As for `similarities`, or if `return_tied` is True and there is no
            posterior.

        Notes
        -----
        Sums are computed in the space of the metric: sums of the vectors for
        "euclidean" and "dot", of the vectors scaled to length one for "cosine" (as in
        word2vec and gensim), and of the effects on the predicted outcome for "outcome".

        Examples
        --------
        >>> from skembed import TokenSimilarity
        >>> X = [["a"], ["b"], ["c"], ["d"]] * 20
        >>> y = [0.1, 1.0, 5.0, 9.0] * 20
        >>> similarity = TokenSimilarity(metric="outcome", random_state=0).fit(X, y)
        >>> [token for token, _ in similarity.most_similar("b", n=3)]
        ['a', 'c', 'd']
        >>> [[token for token, _ in answers]
        ...  for answers in similarity.most_similar([["a"], ["d"]], n=1)]
        [['b'], ['c']]
        """
        space = self._space(feature)
        queries, single = as_queries(positive, negative)
        n = check_count("n", n)
        return_tied = check_flag("return_tied", return_tied)
        confidence = check_share("confidence", confidence)
        answers = []
        for added, taken in queries:
            codes = space.table.known_codes(added + taken, handle_unknown)
            weights = np.repeat([1.0, -1.0], [len(added), len(taken)])
            below = confidence if return_tied else None
            answers.append(answer(space, codes, weights, n, codes, below))
        return answers[0] if single else answers

    def mix(self, weights, n=10, *, feature=None, handle_unknown="error"):
        """Add the vectors of tokens with weights, and find the tokens near the sum.

        Parameters
        ----------
        weights : dict of {token: float}
            The weights are used as they are: {"a": 1, "b": 1} is the sum of the two
            and {"a": 0.5, "b": 0.5} their mean.
        n : int, default=10
            Number of neighbours; fewer if there are not that many tokens.
        feature : str or int, default=None
            The column of the tokens, by name or index; not needed if there is only one.
        handle_unknown : {"error", "prior"}, default="error"
            How an unknown token is treated: as an error, or as the prior.

        Returns
        -------
        mix : TokenMix
            A named tuple of `vector`, the sum, ndarray of shape (embedding_dim,), and
            `neighbors`, a list of (token, distance), nearest first. The tokens of
            `weights` may be among them.

        Raises
        ------
        ValueError
            As for `similarities`, or if `weights` is empty or not finite.
        TypeError
            If `weights` is no dict from tokens to numbers.

        Notes
        -----
        `vector` is always the sum of the vectors of `estimator_`. The neighbours are
        those of the sum in the space of the metric, as for `most_similar`.

        Examples
        --------
        >>> from skembed import TokenSimilarity
        >>> X = [["a"], ["b"], ["c"]] * 20
        >>> y = [0.1, 4.0, 10.0] * 20
        >>> similarity = TokenSimilarity(metric="outcome", random_state=0).fit(X, y)
        >>> vector, neighbors = similarity.mix({"a": 0.5, "c": 0.5}, n=1)
        >>> neighbors[0][0]
        'b'
        """
        tokens, amounts = as_amounts(weights)
        n = check_count("n", n)
        space = self._space(feature)
        codes = space.table.known_codes(tokens, handle_unknown)
        nobody = np.empty(0, dtype=np.int64)
        neighbors = answer(space, codes, amounts, n, nobody)
        return TokenMix(amounts @ space.table.rows(codes), neighbors)

    def probability_nearer(self, a, b, *, to, feature=None, handle_unknown="error"):
        """Compute the probability that one token is nearer to a third than another.

        Parameters
        ----------
        a, b, to : token or array-like of tokens
            The probability is that `a` is nearer to `to` than `b` is. Arrays broadcast
            against each other.
        feature : str or int, default=None
            The column of the tokens, by name or index; not needed if there is only one.
        handle_unknown : {"error", "prior"}, default="error"
            How an unknown token is treated: as an error, or drawn from the prior.

        Returns
        -------
        probability : float or ndarray
            Near 1: `a` is nearer. Near 0.5: the data do not tell.
            ``probability_nearer(a, b, to=t) + probability_nearer(b, a, to=t)`` is 1.

        Raises
        ------
        ValueError
            As for `similarities`, or if the estimator has no posterior (prior=None).

        Examples
        --------
        >>> from skembed import TokenSimilarity
        >>> X = [["a"], ["b"], ["c"]] * 20
        >>> y = [0.1, 1.0, 5.0] * 20
        >>> similarity = TokenSimilarity(metric="outcome", random_state=0).fit(X, y)
        >>> bool(similarity.probability_nearer("b", "c", to="a") > 0.9)
        True
        """
        space = self._space(feature)
        codes, shape = broadcast_codes(space.table, (a, b, to), handle_unknown)
        probability = space.probability_nearer(*codes)
        return probability.reshape(shape) if shape else float(probability[0])

    def _space(self, feature):
        check_is_fitted(self)
        tables = [space.table for space in self._spaces]
        return self._spaces[tables.index(select_table(tables, feature))]
