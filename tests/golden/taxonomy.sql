-- What is wrong with an answer. A block is: the expected categories (main one first) after "-- ", the gold, the
-- prediction; blocks are divided by an empty line. Where the prediction does not run, the engine's words follow in
-- square brackets; where there is no statement at all, the status does. SQLite throughout. "nothing wrong" is a pair
-- that no clause tells apart, which an answer that execution calls wrong may still be.

-- wrong table
SELECT name FROM singer
SELECT name FROM stadium

-- wrong table, join
SELECT s.name FROM singer AS s JOIN song AS g ON s.id = g.singer_id
SELECT name FROM singer

-- join
SELECT s.name FROM singer s JOIN song g ON s.id = g.singer_id
SELECT s.name FROM singer s LEFT JOIN song g ON s.id = g.singer_id

-- join
SELECT s.name FROM singer s JOIN song g ON s.id = g.singer_id
SELECT s.name FROM singer s JOIN song g ON s.id = g.id

-- nothing wrong
SELECT s.name FROM singer s JOIN song g ON s.id = g.singer_id
SELECT singer.name FROM song, singer WHERE song.singer_id = singer.id

-- nothing wrong
SELECT s.name FROM singer s JOIN song g USING (id)
SELECT s.name FROM singer s JOIN song g ON s.id = g.id

-- filter condition
SELECT a FROM t WHERE b > 1
SELECT a FROM t WHERE b >= 1

-- nothing wrong
SELECT a FROM t WHERE b > 1
SELECT a FROM t WHERE 1 < b

-- filter condition
SELECT a FROM t WHERE b = 1
SELECT a FROM t WHERE c = 1

-- filter condition
SELECT a FROM t WHERE b = 1 AND c = 2
SELECT a FROM t WHERE b = 1 OR c = 2

-- filter condition
SELECT a FROM t WHERE NOT b = 1
SELECT a FROM t WHERE b = 1

-- nothing wrong
SELECT a FROM t WHERE b = 1 AND c = 2
SELECT A FROM T WHERE (C = 2) AND B = 1

-- filter condition, filter value
SELECT a FROM t WHERE b = 1
SELECT a FROM t

-- filter value
SELECT a FROM t WHERE city = 'Paris'
SELECT a FROM t WHERE city = 'paris'

-- filter value
SELECT a FROM t WHERE city = "Paris"
SELECT a FROM t WHERE city = 'Rome'

-- nothing wrong
SELECT a FROM t WHERE city = "Paris"
SELECT a FROM t WHERE city = 'Paris'

-- filter value
SELECT a FROM t WHERE b IN (1, 2)
SELECT a FROM t WHERE b IN (1, 2, 3)

-- filter value
SELECT a FROM t WHERE b BETWEEN 1 AND 5
SELECT a FROM t WHERE b BETWEEN 1 AND 6

-- filter value
SELECT a FROM t WHERE b > 1
SELECT a FROM t WHERE b > -1

-- filter value
SELECT a, COUNT(*) FROM t GROUP BY a HAVING COUNT(*) > 1
SELECT a, COUNT(*) FROM t GROUP BY a HAVING COUNT(*) > 2

-- filter value
SELECT a FROM t WHERE b IN (SELECT b FROM t WHERE c LIKE 'x%')
SELECT a FROM t WHERE b IN (SELECT b FROM t WHERE c LIKE 'y%')

-- aggregate
SELECT AVG(price) FROM item
SELECT SUM(price) FROM item

-- aggregate
SELECT COUNT(*) FROM item
SELECT COUNT(price) FROM item

-- aggregate
SELECT name FROM item ORDER BY price DESC LIMIT 1
SELECT MAX(name) FROM item ORDER BY price DESC LIMIT 1

-- column
SELECT AVG(price) FROM item
SELECT AVG(weight) FROM item

-- column
SELECT name FROM item
SELECT name, price FROM item

-- column
SELECT name FROM item
SELECT * FROM item

-- column
SELECT a, b FROM t
SELECT b, a FROM t

-- column
SELECT b.id, d.name FROM battle b JOIN death d ON b.id = d.battle_id
SELECT d.id, b.name FROM battle b JOIN death d ON b.id = d.battle_id

-- grouping
SELECT a, COUNT(*) FROM t GROUP BY a
SELECT a, COUNT(*) FROM t GROUP BY b

-- nothing wrong
SELECT a, COUNT(*) FROM t GROUP BY a ORDER BY COUNT(*)
SELECT a AS x, COUNT(*) AS n FROM t GROUP BY x ORDER BY 2

-- grouping
SELECT a, COUNT(*) FROM t GROUP BY a
SELECT a, COUNT(*) FROM t

-- ordering
SELECT a FROM t ORDER BY b DESC
SELECT a FROM t ORDER BY b

-- ordering
SELECT a FROM t ORDER BY b, c
SELECT a FROM t ORDER BY c, b

-- ordering
SELECT a FROM t ORDER BY b
SELECT a FROM t

-- limit
SELECT a FROM t ORDER BY b LIMIT 1
SELECT a FROM t ORDER BY b LIMIT 3

-- duplicates
SELECT DISTINCT a FROM t
SELECT a FROM t

-- duplicates
SELECT COUNT(DISTINCT a) FROM t
SELECT COUNT(a) FROM t

-- duplicates
SELECT a FROM t UNION SELECT a FROM u
SELECT a FROM t UNION ALL SELECT a FROM u

-- set operation, duplicates
SELECT a FROM t INTERSECT SELECT a FROM u
SELECT a FROM t UNION SELECT a FROM u

-- NULL handling
SELECT a FROM t WHERE b IS NULL
SELECT a FROM t WHERE b IS NOT NULL

-- NULL handling
SELECT SUM(COALESCE(b, 0)) FROM t
SELECT SUM(b) FROM t

-- filter condition, filter value, NULL handling
SELECT a FROM t WHERE b IS NULL
SELECT a FROM t WHERE b = ''

-- expression
SELECT UPPER(a) FROM t
SELECT a FROM t

-- expression
SELECT price * amount FROM sale
SELECT price + amount FROM sale

-- written values
UPDATE t SET a = 1 WHERE b = 2
UPDATE t SET a = 3 WHERE b = 2

-- filter value
DELETE FROM t WHERE b = 2
DELETE FROM t WHERE b = 3

-- written values
INSERT INTO t (a) VALUES (1)
INSERT INTO t (a) VALUES (2)

-- kind of statement
DELETE FROM t WHERE b = 2
SELECT * FROM t WHERE b = 2

-- hallucinated name, column
SELECT name FROM singer
SELECT full_name FROM singer
[invalid: no such column: full_name]

-- hallucinated name, wrong table
SELECT name FROM singer
SELECT name FROM singers
[invalid: no such table: singers]

-- hallucinated name, wrong table
SELECT name FROM singer
SELECT name FROM singers
[invalid: Catalog Error: Table with name singers does not exist!]

-- dialect, filter condition, expression
SELECT a FROM t WHERE STRFTIME('%Y', d) = '2020'
SELECT a FROM t WHERE YEAR(d) = '2020'
[invalid: no such function: YEAR]

-- dialect
SELECT a FROM t LIMIT 3
SELECT TOP 3 a FROM t
[invalid: near "3": syntax error]

-- dialect, filter condition, expression
SELECT a FROM t WHERE d > DATE('now', '-7 days')
SELECT a FROM t WHERE d > NOW() - INTERVAL '7 days'
[invalid: near "'7 days'": syntax error]

-- syntax
SELECT a FROM t
SELECT a FROM WHERE
[invalid: near "WHERE": syntax error]

-- syntax
SELECT a FROM t WHERE b IN (SELECT b FROM u)
SELECT a FROM t WHERE b IN (SELECT b FROM
[invalid: incomplete input]

-- aggregate, filter condition, filter value
SELECT a FROM t GROUP BY a HAVING COUNT(*) > 1
SELECT a FROM t GROUP BY a HAVING COUNT(*) > SUM(COUNT(*))
[invalid: misuse of aggregate function COUNT()]

-- column, join
SELECT s.id FROM singer s JOIN song g ON s.id = g.singer_id
SELECT id FROM singer s JOIN song g ON s.id = g.id
[invalid: ambiguous column name: id]

-- no SQL
SELECT a FROM t
[no_sql]

-- no SQL
SELECT a FROM t
[empty]

-- truncated
SELECT a FROM t
[truncated]

-- refused
SELECT a FROM t
DROP TABLE t
[refused: not allowed here]

-- several statements
SELECT a FROM t
SELECT a FROM t; SELECT b FROM t
[multiple]

-- timeout or limit
SELECT a FROM t
WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT 1 FROM r) SELECT * FROM r
[timeout: ended at its deadline]

-- timeout or limit
SELECT a FROM t
SELECT t.a FROM t, t AS u, t AS v
[limit: more than 1000000 rows]
