"""Which dimensions a contribution counts under [10–15]."""


def encoded(value):
    """[12] What would be taken for syntax is percent-encoded."""
    return "".join("%%%02X" % byte if byte < 0x20 or byte == 0x7F or chr(byte) in ",=%" else chr(byte)
                   for byte in value.encode("utf-8")) if value.isascii() else _encoded_wide(value)


def _encoded_wide(value):
    out = []
    for letter in value:
        if ord(letter) < 0x20 or letter in ",=%\x7f" or 0x80 <= ord(letter) < 0xA0:
            out += ["%%%02X" % byte for byte in letter.encode("utf-8")]
        else:
            out.append(letter)
    return "".join(out)


def single(name, value):
    return [] if not value else [name + "=" + encoded(value)]


def standard(channel=None, product=None, segment=None, stage=None, team=None):
    """all, each single one, and product×channel; what is null or empty is in no rollup but `all` [12]."""
    dimensions = ["all"]
    dimensions += single("channel", channel) + single("product", product) + single("segment", segment)
    dimensions += single("team", team) + single("stage", stage)
    if product and channel:
        dimensions.append("product=%s,channel=%s" % (encoded(product), encoded(channel)))
    return dimensions


def of_event(event, stage):
    return standard(event["channel"], event["product"], event["segment"], stage)
