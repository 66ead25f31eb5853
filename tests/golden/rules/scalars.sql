-- Values: literals, arithmetic, CASE and COALESCE, casts, function synonyms, aggregates.

-- rule: number_spelling
-- match
SELECT name FROM person WHERE score > 2.50;
SELECT name FROM person WHERE score > 2.5;
-- differ
SELECT size / 2 FROM city;
SELECT size / 2.0 FROM city;

-- rule: text_of_number_compared
-- match
SELECT name FROM person WHERE age = '5';
SELECT name FROM person WHERE age = 5;
-- differ
-- why: an expression has no affinity, so the number is not the text
SELECT name FROM person WHERE age + 0 = '5';
SELECT name FROM person WHERE age = 5;
SELECT q.c FROM (SELECT city_id, COUNT(*) AS c FROM person GROUP BY city_id) AS q WHERE q.c = '1';
SELECT q.c FROM (SELECT city_id, COUNT(*) AS c FROM person GROUP BY city_id) AS q WHERE q.c = 1;

-- rule: number_compared_with_text
-- match
SELECT id FROM city WHERE name = 5;
SELECT id FROM city WHERE name = '5';
-- differ
SELECT id FROM city WHERE COALESCE(name, 'x') = 5;
SELECT id FROM city WHERE name = '5';
SELECT id FROM city WHERE name = 5;
SELECT id FROM city WHERE name = '05';

-- rule: whole_number_compared
-- match
SELECT name FROM person WHERE score > 1.0;
SELECT name FROM person WHERE score > 1;
-- differ
SELECT score FROM person WHERE score > 2.5;
SELECT score FROM person WHERE score > 2;

-- rule: fold_arithmetic
-- match
SELECT name FROM person WHERE age = 2 + 3;
SELECT name FROM person WHERE age = 5;
-- differ
SELECT name FROM person WHERE age + 1 = 5;
SELECT name FROM person WHERE age = 5;

-- rule: case_branches
-- match
SELECT CASE WHEN 1 = 1 THEN age ELSE 0 END FROM person;
SELECT age FROM person;
-- differ
SELECT CASE WHEN age > 1 THEN age ELSE 0 END FROM person;
SELECT age FROM person;

-- rule: case_as_coalesce
-- match
SELECT CASE WHEN region IS NULL THEN 'none' ELSE region END FROM city;
SELECT COALESCE(region, 'none') FROM city;
-- differ
SELECT CASE WHEN region IS NULL THEN 'none' ELSE name END FROM city;
SELECT COALESCE(region, 'none') FROM city;

-- rule: flat_coalesce
-- match
SELECT COALESCE(region, COALESCE(name, 'x')) FROM city;
SELECT COALESCE(region, name) FROM city;
-- differ
SELECT COALESCE(name, region) FROM city;
SELECT COALESCE(region, name) FROM city;

-- rule: needless_cast
-- match
SELECT CAST(age AS INTEGER) FROM person;
SELECT age FROM person;
-- differ
SELECT CAST(score AS INTEGER) FROM person;
SELECT score FROM person;
-- why: SQLite casts a date to the number that its text begins with
-- TO MEND: proved wrongly when this was written
SELECT CAST(day AS DATE) FROM event;
SELECT day FROM event;
-- TO MEND: proved wrongly when this was written
SELECT CAST(size AS DECIMAL) / 2 FROM city;
SELECT CAST(size AS REAL) / 2 FROM city;
SELECT id FROM person WHERE CAST(age + 1 AS INTEGER) = '2';
SELECT id FROM person WHERE age + 1 = '2';
-- dialect: duckdb
-- TO MEND: proved wrongly when this was written
SELECT CAST(AVG(age) AS DECIMAL(10, 1)) FROM person;
SELECT AVG(age) FROM person;
-- match
SELECT CAST(day AS DATE) FROM event;
SELECT day FROM event;

-- rule: date_parts
-- dialect: duckdb
-- match
SELECT id, YEAR(day) FROM event;
SELECT id, EXTRACT(YEAR FROM day) FROM event;
SELECT id, date_part('month', day) FROM event;
SELECT id, MONTH(day) FROM event;
-- differ
SELECT id, YEAR(day) FROM event;
SELECT id, EXTRACT(MONTH FROM day) FROM event;

-- rule: distinct_extremes
-- match
SELECT MAX(DISTINCT age) FROM person;
SELECT MAX(age) FROM person;
-- differ
SELECT SUM(DISTINCT age) FROM person;
SELECT SUM(age) FROM person;

-- rule: counted_case
-- match
SELECT COUNT(CASE WHEN age > 1 THEN 1 END) FROM person;
SELECT COUNT(CASE WHEN age >= 2 THEN 'x' END) FROM person;
-- differ
SELECT COUNT(CASE WHEN age > 1 THEN 1 ELSE 0 END) FROM person;
SELECT COUNT(CASE WHEN age > 1 THEN 1 END) FROM person;
-- why: the sum of nothing is NULL
SELECT SUM(CASE WHEN age > 1 THEN 1 ELSE 0 END) FROM person;
SELECT COUNT(CASE WHEN age > 1 THEN 1 END) FROM person;

-- rule: count_rows
-- match
SELECT COUNT(id) FROM person;
SELECT COUNT(*) FROM person;
-- differ
SELECT COUNT(name) FROM person;
SELECT COUNT(*) FROM person;
-- why: never NULL in its table, but NULL where the join finds nothing
SELECT c.id, COUNT(p.id) FROM city AS c LEFT JOIN person AS p ON p.city_id = c.id GROUP BY c.id;
SELECT c.id, COUNT(*) FROM city AS c LEFT JOIN person AS p ON p.city_id = c.id GROUP BY c.id;

-- rule: mean
-- match
SELECT SUM(age) * 1.0 / COUNT(*) FROM person;
SELECT AVG(age) FROM person;
SELECT CAST(SUM(size) AS REAL) / COUNT(size) FROM city;
SELECT AVG(size) FROM city;
-- differ
SELECT SUM(age) / COUNT(*) FROM person;
SELECT AVG(age) FROM person;
SELECT SUM(size) * 1.0 / COUNT(*) FROM city;
SELECT AVG(size) FROM city;

-- rule: numbers_bare
-- match
SELECT age * 1.0 FROM person;
SELECT age FROM person;
-- differ
SELECT age * 1.0 / 2 FROM person;
SELECT age / 2 FROM person;
-- why: beyond 2^53 a float has no room for the last digit, and strict policies look at it
-- policy: strict
-- TO MEND: proved wrongly when this was written
SELECT age + 9007199254740992 FROM person;
SELECT (age + 9007199254740992) * 1.0 FROM person;
-- policy: default
-- TO MEND: proved wrongly when this was written
SELECT DISTINCT age + 9007199254740992 FROM person;
SELECT DISTINCT (age + 9007199254740992) * 1.0 FROM person;
