-- Nested queries taken apart, groups, DISTINCT, ORDER BY and LIMIT, UNION.

-- rule: empty_result
-- match
SELECT name FROM person WHERE 1 = 0;
SELECT region FROM city WHERE size > 3 AND size < 2;
-- differ
SELECT COUNT(*) FROM person WHERE 1 = 0;
SELECT id FROM person WHERE 1 = 0;

-- rule: merge_derived
-- match
SELECT q.n FROM (SELECT name AS n, age FROM person WHERE score > 1) AS q WHERE q.age > 1;
SELECT name FROM person WHERE score > 1 AND age > 1;
-- differ
SELECT q.n FROM (SELECT DISTINCT name AS n FROM person) AS q;
SELECT name FROM person;
-- why: the engine keeps the order, and LIMIT takes the first
-- TO MEND: proved wrongly when this was written
SELECT q.b FROM (SELECT b FROM log ORDER BY b DESC) AS q LIMIT 1;
SELECT b FROM log LIMIT 1;

-- rule: merge_outer_derived
-- match
SELECT c.id, q.name FROM city AS c LEFT JOIN (SELECT city_id, name FROM person WHERE age > 1) AS q ON q.city_id = c.id;
SELECT c.id, p.name FROM city AS c LEFT JOIN person AS p ON p.city_id = c.id AND p.age > 1;
-- differ
SELECT c.id, q.name FROM city AS c LEFT JOIN (SELECT city_id, name FROM person WHERE age > 1) AS q ON q.city_id = c.id;
SELECT c.id, p.name FROM city AS c LEFT JOIN person AS p ON p.city_id = c.id WHERE p.age > 1;
-- why: never NULL inside, but NULL where the join finds nothing
SELECT c.id, q.age FROM city AS c LEFT JOIN (SELECT city_id, age FROM person) AS q ON q.city_id = c.id ORDER BY q.age NULLS LAST;
SELECT c.id, q.age FROM city AS c LEFT JOIN (SELECT city_id, age FROM person) AS q ON q.city_id = c.id ORDER BY q.age;

-- rule: merge_wrapper
-- match
SELECT q.city_id FROM (SELECT city_id, COUNT(*) AS n FROM person GROUP BY city_id) AS q WHERE q.n > 1;
SELECT city_id FROM person GROUP BY city_id HAVING COUNT(*) > 1;
-- differ
SELECT COUNT(*) FROM (SELECT city_id FROM person GROUP BY city_id) AS q;
SELECT COUNT(*) FROM person GROUP BY city_id;
-- why: the aggregate must not slip into the inner query
-- TO MEND: proved wrongly when this was written
SELECT (SELECT q.n + 1) FROM (SELECT city_id, COUNT(*) AS n FROM person GROUP BY city_id) AS q;
SELECT (SELECT COUNT(*) + 1) FROM person GROUP BY city_id;

-- rule: wrapped_set_operation
-- match
SELECT * FROM (SELECT a FROM log UNION SELECT size FROM city) AS q ORDER BY a;
SELECT a FROM log UNION SELECT size FROM city ORDER BY 1;
-- differ
SELECT a FROM (SELECT a, b FROM log UNION SELECT size, id FROM city) AS q;
SELECT a FROM log UNION SELECT size FROM city;

-- rule: push_into_union_all
-- match
SELECT q.a FROM (SELECT a FROM log UNION ALL SELECT size FROM city) AS q WHERE q.a > 1;
SELECT a FROM log WHERE a > 1 UNION ALL SELECT size FROM city WHERE size > 1;
-- differ
SELECT COUNT(*) FROM (SELECT a FROM log UNION ALL SELECT size FROM city) AS q WHERE q.a > 1;
SELECT COUNT(*) FROM log WHERE a > 1 UNION ALL SELECT COUNT(*) FROM city WHERE size > 1;
-- why: the columns of a union have one affinity, those of its branches another
-- TO MEND: proved wrongly when this was written
SELECT q.x FROM (SELECT code AS x FROM tag UNION ALL SELECT age FROM person) AS q WHERE q.x = 5;
SELECT code FROM tag WHERE code = 5 UNION ALL SELECT age FROM person WHERE age = 5;

-- rule: having_as_where
-- match
SELECT city_id, COUNT(*) FROM person GROUP BY city_id HAVING city_id > 1;
SELECT city_id, COUNT(*) FROM person WHERE city_id > 1 GROUP BY city_id;
-- differ
SELECT city_id, COUNT(*) FROM person GROUP BY city_id HAVING MAX(age) > 1;
SELECT city_id, COUNT(*) FROM person WHERE age > 1 GROUP BY city_id;

-- rule: rows_in_a_group
-- match
SELECT city_id FROM person GROUP BY city_id HAVING COUNT(*) >= 1;
SELECT city_id FROM person GROUP BY city_id;
-- differ
SELECT COUNT(*) FROM person HAVING COUNT(*) >= 1;
SELECT COUNT(*) FROM person;
SELECT city_id FROM person GROUP BY city_id HAVING COUNT(name) >= 1;
SELECT city_id FROM person GROUP BY city_id;

-- rule: grouped_by_key
-- match
SELECT c.id, c.name, COUNT(*) FROM city AS c JOIN person AS p ON p.city_id = c.id GROUP BY c.id, c.name;
SELECT c.id, c.name, COUNT(*) FROM city AS c JOIN person AS p ON p.city_id = c.id GROUP BY c.id;
-- differ
SELECT c.name, COUNT(*) FROM city AS c JOIN person AS p ON p.city_id = c.id GROUP BY c.id, c.name;
SELECT c.name, COUNT(*) FROM city AS c JOIN person AS p ON p.city_id = c.id GROUP BY c.name;
-- why: all columns of a UNION together are its key, one of them is not
-- TO MEND: proved wrongly when this was written
SELECT COUNT(*) FROM log AS l LEFT JOIN (SELECT id AS x, name AS y FROM person UNION SELECT id, name FROM city) AS q ON q.x = l.a GROUP BY q.x;
SELECT COUNT(*) FROM log AS l LEFT JOIN (SELECT id AS x, name AS y FROM person UNION SELECT id, name FROM city) AS q ON q.x = l.a GROUP BY q.y;
-- dialect: duckdb
-- why: DuckDB refuses what is not written in GROUP BY, and an error is no answer
-- TO MEND: proved wrongly when this was written
SELECT id, name, COUNT(*) FROM person GROUP BY id, name;
SELECT id, name, COUNT(*) FROM person GROUP BY id;

-- rule: aggregates_of_one_row
-- match
SELECT id, MAX(age) FROM person GROUP BY id;
SELECT id, age FROM person;
-- differ
SELECT name, MAX(age) FROM person GROUP BY name;
SELECT name, age FROM person;
-- why: an aggregate has no affinity, its column has
SELECT id FROM city GROUP BY id HAVING MIN(name) = 5;
SELECT id FROM city WHERE name = 5;

-- rule: group_without_aggregates
-- match
SELECT name FROM person GROUP BY name;
SELECT DISTINCT name FROM person;
-- differ
SELECT name FROM person GROUP BY name, age;
SELECT DISTINCT name FROM person;

-- rule: aggregates_of_distinct
-- match
SELECT age, COUNT(DISTINCT id) FROM person GROUP BY age;
SELECT age, COUNT(*) FROM person GROUP BY age;
-- differ
SELECT age, COUNT(DISTINCT name) FROM person GROUP BY age;
SELECT age, COUNT(name) FROM person GROUP BY age;
SELECT COUNT(DISTINCT c.id) FROM city AS c JOIN person AS p ON p.city_id = c.id;
SELECT COUNT(*) FROM city AS c JOIN person AS p ON p.city_id = c.id;

-- rule: count_of_distinct
-- match
SELECT COUNT(*) FROM (SELECT DISTINCT age FROM person) AS q;
SELECT COUNT(DISTINCT age) FROM person;
-- differ
SELECT COUNT(*) FROM (SELECT DISTINCT name FROM person) AS q;
SELECT COUNT(DISTINCT name) FROM person;

-- rule: distinct_inside
-- match
SELECT DISTINCT q.name FROM (SELECT DISTINCT name, age FROM person) AS q WHERE q.age > 1;
SELECT DISTINCT name FROM person WHERE age > 1;
-- differ
SELECT q.name FROM (SELECT DISTINCT name, age FROM person) AS q WHERE q.age > 1;
SELECT DISTINCT name FROM person WHERE age > 1;

-- rule: needless_distinct
-- match
SELECT DISTINCT id, name FROM person;
SELECT id, name FROM person;
-- differ
SELECT DISTINCT name FROM person;
SELECT name FROM person;
SELECT DISTINCT c.id FROM city AS c JOIN person AS p ON p.city_id = c.id;
SELECT c.id FROM city AS c JOIN person AS p ON p.city_id = c.id;

-- rule: needless_keys
-- match
SELECT id, name FROM person ORDER BY id, name;
SELECT id, name FROM person ORDER BY id;
-- differ
SELECT id, name FROM person ORDER BY name, id;
SELECT id, name FROM person ORDER BY id;

-- rule: limits
-- match
SELECT name FROM person ORDER BY id LIMIT 2 OFFSET 0;
SELECT name FROM person ORDER BY id LIMIT 2;
SELECT COUNT(*) FROM person LIMIT 1;
SELECT COUNT(*) FROM person;
-- differ
SELECT id FROM person ORDER BY id LIMIT 2 OFFSET 1;
SELECT id FROM person ORDER BY id LIMIT 2;
SELECT COUNT(*) FROM person LIMIT 0;
SELECT COUNT(*) FROM person;

-- rule: flat_union
-- match
SELECT a FROM log UNION SELECT DISTINCT size FROM city;
SELECT a FROM log UNION ALL SELECT size FROM city UNION SELECT size FROM city;
-- differ
SELECT a FROM log UNION SELECT size FROM city;
SELECT a FROM log UNION ALL SELECT size FROM city;
SELECT a FROM log UNION SELECT a FROM log;
SELECT a FROM log;

-- rule: union_as_or
-- match
SELECT name FROM person WHERE age = 1 UNION SELECT name FROM person WHERE age = 2;
SELECT DISTINCT name FROM person WHERE age IN (1, 2);
SELECT name FROM person WHERE age < 1 UNION ALL SELECT name FROM person WHERE age > 2;
SELECT name FROM person WHERE age < 1 OR age > 2;
-- differ
SELECT name FROM person WHERE age < 3 UNION ALL SELECT name FROM person WHERE age > 1;
SELECT name FROM person WHERE age < 3 OR age > 1;
