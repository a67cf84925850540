"""Which dimensions a contribution counts under [10–15]."""

import functools


@functools.lru_cache(maxsize=None)
def encoded(value):
    """[12] What would be taken for syntax is percent-encoded; it is all ASCII, so one byte each. `_other` alone is what is over the cap."""
    if value == "_other":
        return "%5Fother"
    return "".join("%%%02X" % ord(letter) if letter in ",=%\x7f" or ord(letter) < 0x20 else letter for letter in value)


def single(name, value):
    """[12] What is null or empty is in no rollup but `all`."""
    return [name + "=" + encoded(value)] if value else []


def standard(channel=None, product=None, segment=None, stage=None, team=None):
    """all, each single one, and product×channel."""
    dimensions = ["all"]
    dimensions += single("channel", channel) + single("product", product) + single("segment", segment)
    dimensions += single("team", team) + single("stage", stage)
    if product and channel:
        dimensions.append("product=%s,channel=%s" % (encoded(product), encoded(channel)))
    return dimensions


def of_event(event, stage):
    return standard(event["channel"], event["product"], event["segment"], stage)
