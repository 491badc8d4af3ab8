"""Names that want to be more than text."""

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    "quote \" and ' and ` and \\",
    "\u202eright to left\u202c",
    "\u05e9\u05dc\u05d5\u05dd",
    "\U0001f98a fox \U0001f468\u200d\U0001f469\u200d\U0001f467",
    "a\u2028b\u2029c\nd\te\rf",
    "<!-- <script> -->",
    "=1+1",
    "&amp; &lt;",
    "x" * 1_000_000,
    "",
    " ",
    "{{ template }} ${this.x}",
    "lone \ud800 surrogate",
]
