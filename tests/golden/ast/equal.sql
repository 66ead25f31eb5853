-- Pairs whose syntax must fold to one: one statement a line, pairs divided by an empty line.
SELECT a FROM t
select A from T

SELECT a FROM t JOIN u ON t.x = u.x
SELECT a FROM t INNER JOIN u ON t.x = u.x

SELECT a FROM t
(SELECT a FROM t)

SELECT a AS b FROM t
SELECT a b FROM t

SELECT a FROM t WHERE a <> 1
SELECT a FROM t WHERE a != 1

SELECT a /* the first */ FROM t
SELECT a FROM t -- nothing else

SELECT my_func(a) FROM t
SELECT MY_FUNC(a) FROM t
