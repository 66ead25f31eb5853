-- Pairs whose syntax must not fold to one: one statement a line, pairs divided by an empty line.
SELECT a FROM t WHERE b = 'Paris'
SELECT a FROM t WHERE b = 'paris'

SELECT a FROM t WHERE b = "Paris"
SELECT a FROM t WHERE b = "paris"

SELECT a FROM t
SELECT DISTINCT a FROM t

SELECT a FROM t LEFT JOIN u ON t.x = u.x
SELECT a FROM t JOIN u ON t.x = u.x

SELECT a, b FROM t
SELECT b, a FROM t

SELECT a FROM t UNION SELECT a FROM u
SELECT a FROM t UNION ALL SELECT a FROM u

(SELECT a FROM t LIMIT 1) LIMIT 2
(SELECT a FROM t LIMIT 1)

SELECT COUNT(a) FROM t
SELECT COUNT(*) FROM t

SELECT a FROM t WHERE b >= 1
SELECT a FROM t WHERE b > 1
