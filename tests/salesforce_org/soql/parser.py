"""Tokens to a tree, by recursive descent."""

from tests.salesforce_org.soql.lexer import SoqlError, Token, tokens, unquote
from tests.salesforce_org.soql.tree import Comparison, Condition, Junction, Literal, Negation, Order, Query

MOST_CHARACTERS = 100_000
MOST_OFFSET = 2_000
COMPARISONS = {"=": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


def parse(text: str) -> Query:
    """Return the tree of a query; raise SoqlError when it is none."""
    if len(text) > MOST_CHARACTERS:
        raise SoqlError("MALFORMED_QUERY", "SOQL statements cannot be longer than 100,000 characters.")
    return Parser(tokens(text)).query()


class Parser:
    """Reads tokens from left to right."""

    def __init__(self, words: list[Token]) -> None:
        self.words, self.place = words, 0

    def query(self) -> Query:
        """SELECT … FROM … WHERE … ORDER BY … LIMIT … OFFSET …."""
        self._expect("SELECT")
        fields = self._fields()
        self._expect("FROM")
        name = self._take("name")
        where = self._condition() if self._accept("WHERE") else None
        order = self._order() if self._accept("ORDER", "BY") else ()
        limit = self._number() if self._accept("LIMIT") else None
        offset = self._number() if self._accept("OFFSET") else 0
        if offset > MOST_OFFSET:
            raise SoqlError("NUMBER_OUTSIDE_VALID_RANGE", f"SOQL offset must be {MOST_OFFSET} at most")
        if self._next.kind != "end":
            self._fail()
        return Query(fields, name.text, name.position, where, order, limit, offset)

    def _fields(self) -> tuple[tuple[str, int], ...] | None:
        if self._next.word == "COUNT" and self.words[self.place + 1].text == "(":
            self.place += 2
            self._expect(")")
            return None
        fields = [self._take("name")]
        while self._accept(","):
            fields.append(self._take("name"))
        return tuple((field.text, field.position) for field in fields)

    def _condition(self) -> Condition:
        """Parts joined by AND or by OR: to mix the two without parentheses is refused."""
        parts = [self._part()]
        joined_by = self._next.word
        while joined_by in {"AND", "OR"} and self._accept(joined_by):
            parts.append(self._part())
        if self._next.word in {"AND", "OR"}:
            self._fail()
        return parts[0] if len(parts) == 1 else Junction(joined_by, tuple(parts))

    def _part(self) -> Condition:
        if self._accept("NOT"):
            return Negation(self._part())
        if self._accept("("):
            condition = self._condition()
            self._expect(")")
            return condition
        return self._comparison()

    def _comparison(self) -> Comparison:
        field = self._take("name")
        if self._accept("NOT", "IN"):
            return Comparison(field.text, "NOT IN", self._list(), field.position)
        if self._accept("IN"):
            return Comparison(field.text, "IN", self._list(), field.position)
        if self._accept("LIKE"):
            return Comparison(field.text, "LIKE", (self._literal(),), field.position)
        operator = COMPARISONS[self._take("operator").text]
        return Comparison(field.text, operator, (self._literal(),), field.position)

    def _list(self) -> tuple[Literal, ...]:
        self._expect("(")
        values = [self._literal()]
        while self._accept(","):
            values.append(self._literal())
        self._expect(")")
        return tuple(values)

    def _literal(self) -> Literal:
        token = self._next
        if token.word in {"TRUE", "FALSE"}:
            literal = Literal("boolean", token.word)
        elif token.word == "NULL":
            literal = Literal("null", "")
        elif token.kind == "string":
            literal = Literal("string", unquote(token.text))
        elif token.kind in {"datetime", "date", "number"}:
            literal = Literal(token.kind, token.text)
        else:
            self._fail()
        self.place += 1
        return literal

    def _order(self) -> tuple[Order, ...]:
        keys = [self._order_key()]
        while self._accept(","):
            keys.append(self._order_key())
        return tuple(keys)

    def _order_key(self) -> Order:
        field = self._take("name")
        descending = self._accept("DESC")
        if not descending:
            self._accept("ASC")
        nulls_last = self._accept("NULLS", "LAST")
        if not nulls_last:
            self._accept("NULLS", "FIRST")
        return Order(field.text, descending, nulls_last, field.position)

    def _number(self) -> int:
        token = self._take("number")
        if not token.text.isdigit():
            self._fail(token)
        return int(token.text)

    @property
    def _next(self) -> Token:
        return self.words[self.place]

    def _accept(self, *words: str) -> bool:
        """Step over words when they are the next ones."""
        if any(token.word != word for token, word in zip(self.words[self.place :], words, strict=False)):
            return False
        self.place += len(words)
        return True

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            self._fail()

    def _take(self, kind: str) -> Token:
        if self._next.kind != kind:
            self._fail()
        self.place += 1
        return self.words[self.place - 1]

    def _fail(self, token: Token | None = None) -> None:
        token = token or self._next
        shown = "<EOF>" if token.kind == "end" else token.text
        raise SoqlError("MALFORMED_QUERY", f"unexpected token: '{shown}'", token.position)
