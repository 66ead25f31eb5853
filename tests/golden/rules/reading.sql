-- What reading a statement does by itself: names resolved, spellings of one thing made one.

-- rule: reads letter case and quotes
-- match
SELECT Name FROM Person WHERE AGE > 1;
select "name" from `person` where [age] > 1;
-- differ
SELECT id FROM city WHERE name = 'a';
SELECT id FROM city WHERE name = 'A';

-- rule: reads unknown quoted names
-- match
SELECT id FROM city WHERE name = "ab";
SELECT id FROM city WHERE name = 'ab';
-- differ
-- why: this one is a column
SELECT id FROM city WHERE name = "region";
SELECT id FROM city WHERE name = 'region';

-- rule: reads aliases
-- match
SELECT p.name AS who FROM person AS p;
SELECT name FROM person;
-- differ
SELECT a.id FROM person AS a JOIN person AS b ON a.boss_id = b.id;
SELECT b.id FROM person AS a JOIN person AS b ON a.boss_id = b.id;

-- rule: reads stars
-- match
SELECT * FROM tag;
SELECT code, label FROM tag;
SELECT p.* FROM person AS p JOIN visit AS v ON v.person_id = p.id;
SELECT p.id, p.name, p.city_id, p.boss_id, p.age, p.score FROM person AS p JOIN visit AS v ON v.person_id = p.id;
-- differ
SELECT * FROM tag;
SELECT code, code FROM tag;

-- rule: reads implicit joins
-- match
SELECT p.id, c.name FROM person AS p, city AS c WHERE p.city_id = c.id;
SELECT p.id, c.name FROM city AS c INNER JOIN person AS p ON c.id = p.city_id;
-- differ
SELECT p.id, c.name FROM person AS p, city AS c;
SELECT p.id, c.name FROM city AS c INNER JOIN person AS p ON c.id = p.city_id;

-- rule: reads USING
-- match
SELECT p.name, v.place FROM person AS p JOIN visit AS v USING (city_id);
SELECT p.name, v.place FROM person AS p JOIN visit AS v ON p.city_id = v.city_id;
-- differ
SELECT * FROM person AS p JOIN visit AS v USING (city_id);
SELECT * FROM person AS p JOIN visit AS v ON p.city_id = v.city_id;

-- rule: reads NATURAL
-- match
SELECT p.age, v.place FROM person AS p NATURAL JOIN visit AS v;
SELECT p.age, v.place FROM person AS p JOIN visit AS v ON p.city_id = v.city_id;
-- differ
SELECT p.age, c.region FROM person AS p NATURAL JOIN city AS c;
SELECT p.age, c.region FROM person AS p JOIN city AS c ON p.id = c.id;

-- rule: reads CTEs
-- match
WITH old AS (SELECT * FROM person WHERE age > 1) SELECT name FROM old;
SELECT name FROM person WHERE age > 1;
WITH old AS (SELECT * FROM person WHERE age > 1), w AS (SELECT id FROM old) SELECT COUNT(*) FROM w;
SELECT COUNT(*) FROM person WHERE age > 1;
-- differ
-- why: the CTE stands before the table of its name
WITH city AS (SELECT 7 AS id) SELECT id FROM city;
SELECT id FROM city;
-- why: in SQLite a CTE sees those after it, too
-- TO MEND: proved wrongly when this was written
WITH w AS (SELECT id FROM city), city AS (SELECT 7 AS id) SELECT id FROM w;
SELECT id FROM city;
-- why: SQLite refuses a CTE that reads its own name
-- TO MEND: proved wrongly when this was written
SELECT id FROM city;
WITH city AS (SELECT * FROM city) SELECT id FROM city;

-- rule: reads ORDER BY positions and aliases
-- match
SELECT name, age AS years FROM person ORDER BY 2, 1;
SELECT name, age AS years FROM person ORDER BY years, name;
-- differ
SELECT age AS id, id AS age FROM person ORDER BY id;
SELECT age AS id, id AS age FROM person ORDER BY person.id;

-- rule: reads GROUP BY aliases and positions
-- match
SELECT age * 2 AS twice, COUNT(*) FROM person GROUP BY twice;
SELECT age * 2, COUNT(*) FROM person GROUP BY 1;
-- differ
-- why: the column stands before the alias
SELECT COUNT(*) AS n, age AS id FROM person GROUP BY id;
SELECT COUNT(*) AS n, age AS id FROM person GROUP BY age;

-- rule: reads the order of joins
-- match
SELECT p.id FROM person AS p JOIN city AS c ON p.city_id = c.size JOIN tag AS t ON t.label = c.region;
SELECT p.id FROM tag AS t JOIN city AS c ON t.label = c.region JOIN person AS p ON p.city_id = c.size;
SELECT p.id FROM person AS p LEFT JOIN city AS c ON p.age = c.size LEFT JOIN tag AS t ON t.label = p.name;
SELECT p.id FROM person AS p LEFT JOIN tag AS t ON t.label = p.name LEFT JOIN city AS c ON p.age = c.size;
-- differ
SELECT p.id, c.id FROM person AS p LEFT JOIN city AS c ON p.age = c.size;
SELECT p.id, c.id FROM city AS c LEFT JOIN person AS p ON p.age = c.size;

-- rule: reads what commutes
-- match
SELECT age + id, score * age FROM person;
SELECT id + age, age * score FROM person;
-- differ
SELECT age - id FROM person;
SELECT id - age FROM person;
SELECT name || 'a' FROM city;
SELECT 'a' || name FROM city;

-- rule: reads a useless ORDER BY
-- match
SELECT name FROM person;
SELECT name FROM person ORDER BY age;
-- differ
SELECT name FROM person ORDER BY age, id;
SELECT name FROM person;
-- why: an aggregate in the order makes one group, or an error
-- TO MEND: proved wrongly when this was written
SELECT name FROM person;
SELECT name FROM person ORDER BY COUNT(*);

-- rule: reads an order and more keys
-- match
SELECT name FROM person ORDER BY age;
SELECT name FROM person ORDER BY age, name DESC;
-- differ
SELECT name FROM person ORDER BY age, name DESC;
SELECT name FROM person ORDER BY age;
SELECT id FROM person ORDER BY age LIMIT 2;
SELECT id FROM person ORDER BY age, id DESC LIMIT 2;
-- policy: strict
-- why: the strict policy compares lists
-- TO MEND: proved wrongly when this was written
SELECT id, age FROM person
ORDER
BY age;
SELECT id, age FROM person ORDER BY age, id DESC;

-- rule: reads columns in any order
-- match
SELECT name, age FROM person;
SELECT age, name FROM person;
-- differ
-- policy: strict
SELECT name, age FROM person;
SELECT age, name FROM person;

-- rule: reads scalar subqueries
-- match
SELECT (SELECT MAX(age) FROM person);
SELECT (SELECT MAX(p.age) AS m FROM person AS p);
-- differ
-- why: SQLite takes the first row
SELECT (SELECT b FROM log ORDER BY b DESC);
SELECT (SELECT b FROM log ORDER BY b);

-- rule: reads what depends on more than its arguments
-- match
SELECT id, LENGTH(name) FROM city;
SELECT id, length(name) FROM city;
-- differ
-- TO MEND: proved wrongly when this was written
SELECT id, RANDOMBLOB(4) FROM city;
SELECT id, RANDOMBLOB(4) FROM city;

-- rule: reads HAVING without GROUP BY
-- match
SELECT COUNT(*) FROM city HAVING COUNT(*) > 1;
SELECT COUNT(*) FROM city HAVING COUNT(*) >= 2;
-- differ
-- TO MEND: proved wrongly when this was written
SELECT id FROM city;
SELECT id FROM city HAVING 1;

-- rule: reads branches of two kinds
-- match
SELECT q.x FROM (SELECT size AS x FROM city UNION SELECT a FROM log) AS q;
SELECT q.x FROM (SELECT a AS x FROM log UNION SELECT size FROM city) AS q;
-- differ
-- why: which of 1 and 1.0 stays is the first branch's choice, and 1 / 2 is 0
-- TO MEND: proved wrongly when this was written
SELECT q.x / 2 FROM (SELECT size AS x FROM city UNION SELECT score FROM person) AS q;
SELECT q.x / 2 FROM (SELECT score AS x FROM person UNION SELECT size FROM city) AS q;

-- rule: reads aggregates of one argument
-- match
SELECT MIN(age), min(ALL_.age) FROM person AS ALL_;
SELECT MIN(age), MIN(age) FROM person;
-- differ
-- dialect: duckdb
-- why: with a number, MIN gives the list of the least
-- TO MEND: proved wrongly when this was written
SELECT MIN(age, 2) FROM person;
SELECT MIN(age) FROM person;
