"""The predicates of the query language: filter[q][attribute_predicate], each with its meaning.

What a predicate takes is a value, or values with commas between them, or true and false, which
turns the meaning round. Text is compared in upper and lower case alike.
"""

from operator import and_, or_

from customers.resources.conditions import (
    Comparison,
    Containment,
    Equality,
    Pattern,
    Predicate,
    Presence,
    Truth,
    begin_with,
    contain,
    end_with,
    match_whole,
)

EQUALITY = {
    "eq": Equality("is the value"),
    "not_eq": Equality("is another value", negated=True),
    "in": Equality("is one of the values", many=True),
    "not_in": Equality("is none of the values", many=True, negated=True),
    "not_eq_all": Equality("is none of the values", many=True, negated=True),
}
EQUALITY_OR_NULL = {
    "eq_or_null": Equality("is the value, or missing", or_null=True),
    "not_eq_or_null": Equality("is another value, or missing", negated=True, or_null=True),
    "in_or_null": Equality("is one of the values, or missing", many=True, or_null=True),
    "not_in_or_null": Equality(
        "is none of the values, or missing", many=True, negated=True, or_null=True
    ),
}
TEXT = {
    "matches": Pattern(match_whole, "matches the pattern"),
    "matches_any": Pattern(match_whole, "matches one of the patterns", combine=or_),
    "matches_all": Pattern(match_whole, "matches all of the patterns", combine=and_),
    "does_not_match": Pattern(match_whole, "does not match the pattern", negated=True),
    "does_not_match_any": Pattern(
        match_whole, "does not match at least one of the patterns", negated=True, combine=or_
    ),
    "does_not_match_all": Pattern(
        match_whole, "does not match any of the patterns", negated=True, combine=and_
    ),
    "start": Pattern(begin_with, "begins with the text"),
    "start_any": Pattern(begin_with, "begins with one of the texts", combine=or_),
    "start_all": Pattern(begin_with, "begins with all of the texts", combine=and_),
    "not_start": Pattern(begin_with, "does not begin with the text", negated=True),
    "not_start_any": Pattern(
        begin_with, "does not begin with at least one of the texts", negated=True, combine=or_
    ),
    "not_start_all": Pattern(
        begin_with, "does not begin with any of the texts", negated=True, combine=and_
    ),
    "end": Pattern(end_with, "ends with the text"),
    "end_any": Pattern(end_with, "ends with one of the texts", combine=or_),
    "end_all": Pattern(end_with, "ends with all of the texts", combine=and_),
    "not_end": Pattern(end_with, "does not end with the text", negated=True),
    "not_end_any": Pattern(
        end_with, "does not end with at least one of the texts", negated=True, combine=or_
    ),
    "not_end_all": Pattern(
        end_with, "does not end with any of the texts", negated=True, combine=and_
    ),
    "cont": Pattern(contain, "contains the text"),
    "cont_any": Pattern(contain, "contains one of the texts", combine=or_),
    "cont_all": Pattern(contain, "contains all of the texts", combine=and_),
    "not_cont": Pattern(contain, "does not contain the text", negated=True),
    "not_cont_any": Pattern(
        contain, "does not contain at least one of the texts", negated=True, combine=or_
    ),
    "not_cont_all": Pattern(
        contain, "does not contain any of the texts", negated=True, combine=and_
    ),
    "i_cont": Pattern(contain, "contains the text"),
    "i_cont_any": Pattern(contain, "contains one of the texts", combine=or_),
    "i_cont_all": Pattern(contain, "contains all of the texts", combine=and_),
    "not_i_cont": Pattern(contain, "does not contain the text", negated=True),
    "not_i_cont_any": Pattern(
        contain, "does not contain at least one of the texts", negated=True, combine=or_
    ),
    "not_i_cont_all": Pattern(
        contain, "does not contain any of the texts", negated=True, combine=and_
    ),
}
ORDER = {
    "lt": Comparison("lt", "is less than the value"),
    "lt_any": Comparison("lt", "is less than one of the values", or_),
    "lt_all": Comparison("lt", "is less than each of the values", and_),
    "lteq": Comparison("lte", "is at most the value"),
    "lteq_any": Comparison("lte", "is at most one of the values", or_),
    "lteq_all": Comparison("lte", "is at most each of the values", and_),
    "gt": Comparison("gt", "is greater than the value"),
    "gt_any": Comparison("gt", "is greater than one of the values", or_),
    "gt_all": Comparison("gt", "is greater than each of the values", and_),
    "gteq": Comparison("gte", "is at least the value"),
    "gteq_any": Comparison("gte", "is at least one of the values", or_),
    "gteq_all": Comparison("gte", "is at least each of the values", and_),
}
PRESENCE = {
    "present": Presence("has a value that is not empty", wanted=True, empty=True),
    "blank": Presence("has no value or an empty one", wanted=False, empty=True),
}
NULL = {
    "null": Presence("has no value", wanted=False, empty=False),
    "not_null": Presence("has a value", wanted=True, empty=False),
}
BOOLEAN = {
    "true": Truth("is true", wanted=True),
    "false": Truth("is false", wanted=False),
}
JSON = {
    "jcont": Containment("contains the JSON object"),
}
PREDICATES: dict[str, Predicate] = {
    **EQUALITY,
    **EQUALITY_OR_NULL,
    **TEXT,
    **ORDER,
    **PRESENCE,
    **NULL,
    **BOOLEAN,
    **JSON,
}
