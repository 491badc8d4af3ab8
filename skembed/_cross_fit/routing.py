"""What EmbeddingEncoder hands on to its splitter: groups, by metadata routing."""

from numbers import Integral

from sklearn import get_config
from sklearn.utils import check_consistent_length
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    get_routing_for_object,
    process_routing,
)


def router(encoder):
    """What the methods of the encoder take, for themselves and for its splitter."""
    mapping = MethodMapping()
    for caller in ("fit", "fit_transform"):
        mapping.add(caller=caller, callee="split")
    own = MetadataRouter(owner=encoder).add_self_request(encoder)
    return own.add(splitter=encoder.cv, method_mapping=mapping)


def needs_groups(cv):
    """Whether a splitter asks for groups."""
    return bool(get_routing_for_object(cv).consumes("split", ["groups"]))


def split_params(encoder, method, X, sample_weight, params):
    """What the splitter gets beside the rows, of what a method was given.

    Raises
    ------
    TypeError
        If nothing asks for one of `params`.
    ValueError
        If they need metadata routing and it is off, a group is missing, or `groups` and
        a number of folds are given.
    """
    params = {name: value for name, value in params.items() if value is not None}
    if "groups" in params:
        check_consistent_length(X, params["groups"])
    if get_config()["enable_metadata_routing"]:
        routed = process_routing(encoder, method, sample_weight=sample_weight, **params)
        return routed.splitter.split
    others = sorted(params.keys() - {"groups"})
    if others:
        raise ValueError(
            f"{type(encoder).__name__}.{method} passes {', '.join(others)} to cv only "
            "with sklearn.set_config(enable_metadata_routing=True)."
        )
    if params and isinstance(encoder.cv, Integral):
        raise ValueError(
            f"groups were passed, but cv={encoder.cv} splits without them; set "
            f"cv=GroupKFold({encoder.cv})."
        )
    return params
