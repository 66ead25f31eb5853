-- Conditions: comparisons, lists, ranges, AND, OR and NOT under three-valued logic.

-- rule: comparison_direction
-- match
SELECT name FROM person WHERE age > id;
SELECT name FROM person WHERE id < age;
-- differ
SELECT id FROM person WHERE age > id;
SELECT id FROM person WHERE id > age;

-- rule: between_as_bounds
-- match
SELECT name FROM person WHERE age BETWEEN 1 AND 5;
SELECT name FROM person WHERE age >= 1 AND age <= 5;
-- differ
SELECT name FROM person WHERE age BETWEEN 1 AND 5;
SELECT name FROM person WHERE age > 1 AND age <= 5;

-- rule: in_list_as_or
-- match
SELECT id FROM city WHERE region IN ('a', 'b');
SELECT id FROM city WHERE region = 'b' OR region = 'a';
-- differ
SELECT id FROM city WHERE region NOT IN ('a', 'b');
SELECT id FROM city WHERE region IS NULL OR region NOT IN ('a', 'b');

-- rule: not_inward
-- match
SELECT id FROM city WHERE NOT (size < 2 OR region = 'a');
SELECT id FROM city WHERE size >= 2 AND region <> 'a';
-- differ
SELECT id FROM city WHERE NOT (size < 2 OR region = 'a');
SELECT id FROM city WHERE size >= 2 OR region <> 'a';
-- why: NULL is neither
SELECT COUNT(*) FROM city WHERE NOT (size = 1);
SELECT COUNT(*) FROM city WHERE size <> 1 OR size IS NULL;

-- rule: null_comparisons
-- match
SELECT size = NULL FROM city;
SELECT NULL < size FROM city;
-- differ
SELECT id FROM city WHERE size = NULL;
SELECT id FROM city WHERE size IS NULL;

-- rule: constant_comparisons
-- match
SELECT id FROM city WHERE 1 = 1 AND size > 1;
SELECT id FROM city WHERE size > 1;
-- differ
SELECT id FROM city WHERE 'a' = 'A';
SELECT id FROM city WHERE 'a' = 'a';

-- rule: null_tests
-- match
SELECT id FROM person WHERE age IS NOT NULL;
SELECT id FROM person;
SELECT id FROM city WHERE COALESCE(region, CASE WHEN size = 1 THEN name END) IS NULL;
SELECT id FROM city WHERE region IS NULL AND (CASE WHEN size = 1 THEN name END) IS NULL;
-- differ
SELECT id FROM person WHERE name IS NOT NULL;
SELECT id FROM person;
-- why: the one row of an aggregate over nothing holds NULL
SELECT q.a FROM (SELECT 5 AS a, MAX(id) AS b FROM person WHERE age = 5) AS q WHERE q.b IS NOT NULL;
SELECT q.a FROM (SELECT 5 AS a, MAX(id) AS b FROM person WHERE age = 5) AS q;

-- rule: like_without_wildcards
-- dialect: duckdb
-- match
SELECT id FROM city WHERE name LIKE 'a';
SELECT id FROM city WHERE name = 'a';
-- differ
SELECT id FROM city WHERE name LIKE 'a%';
SELECT id FROM city WHERE name = 'a';
-- dialect: sqlite
-- why: SQLite's LIKE ignores letter case
SELECT id FROM city WHERE name LIKE 'a';
SELECT id FROM city WHERE name = 'a';

-- rule: like_letter_case
-- match
SELECT id FROM city WHERE name LIKE 'A%';
SELECT id FROM city WHERE name LIKE 'a%';
-- differ
SELECT id FROM city WHERE name LIKE 'A%';
SELECT id FROM city WHERE name LIKE 'b%';
-- dialect: duckdb
SELECT id FROM city WHERE name LIKE 'A%';
SELECT id FROM city WHERE name LIKE 'a%';

-- rule: integer_bounds
-- match
SELECT id FROM person WHERE age > 1;
SELECT id FROM person WHERE age >= 2;
SELECT id FROM person WHERE age * 2 > 7;
SELECT id FROM person WHERE age >= 4;
-- differ
SELECT id FROM person WHERE score > 2;
SELECT id FROM person WHERE score >= 3;
SELECT id FROM person WHERE age * -1 > 0;
SELECT id FROM person WHERE age > 0;

-- rule: sorted_equality
-- match
SELECT p.id FROM person AS p, city AS c WHERE p.city_id = c.size;
SELECT p.id FROM person AS p, city AS c WHERE c.size = p.city_id;
-- differ
SELECT p.id FROM person AS p, city AS c WHERE p.city_id = c.size;
SELECT p.id FROM person AS p, city AS c WHERE p.city_id = c.id;
-- why: the left side's collation counts
SELECT id FROM word WHERE w = x;
SELECT id FROM word WHERE x = w;

-- rule: flat_connectives
-- match
SELECT id FROM person WHERE age > 1 OR (score > 1 OR id > 1);
SELECT id FROM person WHERE (id > 1 OR age > 1) OR score > 1 OR age > 1;
-- differ
SELECT id FROM person WHERE age > 1 AND (score > 1 OR id > 1);
SELECT id FROM person WHERE (age > 1 AND score > 1) OR id > 1;

-- rule: absorb
-- match
SELECT id FROM city WHERE region = 'a' OR (region = 'a' AND size = 1);
SELECT id FROM city WHERE region = 'a';
SELECT id FROM city WHERE (region = 'a' AND size = 1) OR (region = 'a' AND id = 2);
SELECT id FROM city WHERE region = 'a' AND (size = 1 OR id = 2);
-- differ
SELECT id FROM city WHERE region = 'a' OR (region = 'b' AND size = 1);
SELECT id FROM city WHERE region = 'a';
-- why: a value that is no condition does not stay what it is
-- TO MEND: proved wrongly when this was written
SELECT size OR (size AND id) FROM city;
SELECT size FROM city;

-- rule: reads exponents
-- match
SELECT id FROM person WHERE score = 1;
SELECT id FROM person WHERE score = 1.0;
-- differ
-- TO MEND: proved wrongly when this was written
SELECT id FROM person WHERE score = 5e0 AND score = 5;
SELECT id FROM person;

-- rule: reads bounds
-- match
SELECT id FROM person WHERE age > 2 AND age > 1;
SELECT id FROM person WHERE age > 2;
SELECT id FROM city WHERE size < 2 OR size >= 2;
SELECT id FROM city WHERE size IS NOT NULL;
SELECT id FROM city WHERE size IS NOT NULL AND size > 1;
SELECT id FROM city WHERE size > 1;
-- differ
SELECT id FROM city WHERE size < 2 OR size >= 2;
SELECT id FROM city;
SELECT id FROM city WHERE size < 2 OR size > 2;
SELECT id FROM city WHERE size IS NOT NULL;
-- why: NULL NOT IN of nothing is true
-- TO MEND: proved wrongly when this was written
SELECT id FROM city WHERE size IS NOT NULL AND size NOT IN (SELECT age FROM person);
SELECT id FROM city WHERE size NOT IN (SELECT age FROM person);
