-- Joins, and IN and EXISTS, which are joins of another kind.

-- rule: outer_join_that_is_inner
-- match
SELECT p.id FROM person AS p LEFT JOIN city AS c ON c.id = p.city_id WHERE c.size > 1;
SELECT p.id FROM person AS p JOIN city AS c ON c.id = p.city_id WHERE c.size > 1;
SELECT v.place, c.name FROM visit AS v LEFT JOIN city AS c ON c.id = v.city_id;
SELECT v.place, c.name FROM visit AS v JOIN city AS c ON c.id = v.city_id;
-- differ
SELECT p.id, c.name FROM person AS p LEFT JOIN city AS c ON c.id = p.city_id;
SELECT p.id, c.name FROM person AS p JOIN city AS c ON c.id = p.city_id;
SELECT p.id FROM person AS p LEFT JOIN city AS c ON c.id = p.city_id AND c.size > 1;
SELECT p.id FROM person AS p LEFT JOIN city AS c ON c.id = p.city_id WHERE c.size > 1;
-- why: NULL NOT IN of nothing is true
-- TO MEND: proved wrongly when this was written
SELECT p.id FROM person AS p LEFT JOIN city AS c ON c.id = p.city_id WHERE c.size NOT IN (SELECT a FROM log);
SELECT p.id FROM person AS p JOIN city AS c ON c.id = p.city_id WHERE c.size NOT IN (SELECT a FROM log);

-- rule: outer_join_for_nothing
-- match
SELECT p.id FROM person AS p LEFT JOIN city AS c ON c.id = p.city_id;
SELECT id FROM person;
-- differ
SELECT c.id FROM city AS c LEFT JOIN person AS p ON c.id = p.city_id;
SELECT id FROM city;
-- why: as numbers, the texts '5' and '05' are both 5
SELECT p.id FROM person AS p LEFT JOIN tag AS t ON t.code = p.age;
SELECT id FROM person;

-- rule: outer_join_that_never_matches
-- match
SELECT p.id, c.name FROM person AS p LEFT JOIN city AS c ON 1 = 0;
SELECT id, NULL FROM person;
-- differ
SELECT p.id, c.name FROM person AS p LEFT JOIN city AS c ON 1 = 1;
SELECT id, NULL FROM person;

-- rule: left_join_without_match
-- match
SELECT c.name FROM city AS c LEFT JOIN person AS p ON p.city_id = c.id WHERE p.id IS NULL;
SELECT name FROM city WHERE NOT EXISTS (SELECT 1 FROM person WHERE city_id = city.id);
-- differ
-- why: a name may be NULL though there is a match
SELECT c.name FROM city AS c LEFT JOIN person AS p ON p.city_id = c.id WHERE p.name IS NULL;
SELECT name FROM city WHERE NOT EXISTS (SELECT 1 FROM person WHERE city_id = city.id);

-- rule: in_as_exists
-- match
SELECT name FROM city WHERE id IN (SELECT city_id FROM person WHERE age > 1);
SELECT name FROM city WHERE EXISTS (SELECT * FROM person WHERE age > 1 AND city_id = city.id);
SELECT name FROM city WHERE id NOT IN (SELECT city_id FROM visit);
SELECT name FROM city WHERE NOT EXISTS (SELECT 1 FROM visit WHERE city_id = city.id);
-- differ
-- why: one NULL makes NOT IN never true
SELECT name FROM city WHERE id NOT IN (SELECT city_id FROM person);
SELECT name FROM city WHERE NOT EXISTS (SELECT 1 FROM person WHERE city_id = city.id);
SELECT id FROM person WHERE city_id NOT IN (SELECT city_id FROM visit);
SELECT id FROM person WHERE NOT EXISTS (SELECT 1 FROM visit WHERE visit.city_id = person.city_id);

-- rule: bare_exists
-- match
SELECT id FROM city WHERE size > (SELECT COUNT(*) FROM tag) OR EXISTS (SELECT id, name FROM person ORDER BY id LIMIT 3);
SELECT id FROM city WHERE size > (SELECT COUNT(*) FROM tag) OR EXISTS (SELECT 1 FROM person);
-- differ
SELECT id FROM city WHERE EXISTS (SELECT id FROM person LIMIT 0);
SELECT id FROM city WHERE EXISTS (SELECT id FROM person);
-- why: an aggregate gives a row even of nothing
SELECT id FROM city WHERE EXISTS (SELECT COUNT(*) FROM person);
SELECT id FROM city WHERE EXISTS (SELECT id FROM person);

-- rule: same_row_exists
-- match
SELECT p.id FROM person AS p WHERE EXISTS (SELECT 1 FROM person AS q WHERE q.id = p.id AND q.age > 1);
SELECT id FROM person WHERE age > 1;
-- differ
SELECT p.id FROM person AS p WHERE EXISTS (SELECT 1 FROM person AS q WHERE q.age = p.age AND q.score > 1);
SELECT id FROM person WHERE score > 1;
-- why: NOT of a condition that is NULL is not true, but the row does not exist
SELECT p.id FROM person AS p WHERE NOT EXISTS (SELECT 1 FROM person AS q WHERE q.id = p.id AND q.score > 1);
SELECT id FROM person WHERE NOT score > 1;

-- rule: exists_as_join
-- match
SELECT p.name FROM person AS p WHERE EXISTS (SELECT 1 FROM city AS c WHERE c.id = p.city_id AND c.size > 1);
SELECT p.name FROM person AS p JOIN city AS c ON c.id = p.city_id WHERE c.size > 1;
SELECT DISTINCT c.name FROM city AS c WHERE EXISTS (SELECT 1 FROM person AS p WHERE p.city_id = c.id);
SELECT DISTINCT c.name FROM city AS c JOIN person AS p ON p.city_id = c.id;
-- differ
SELECT c.name FROM city AS c WHERE EXISTS (SELECT 1 FROM person AS p WHERE p.city_id = c.id);
SELECT c.name FROM city AS c JOIN person AS p ON p.city_id = c.id;
SELECT p.id FROM person AS p WHERE EXISTS (SELECT 1 FROM tag AS t WHERE t.code = p.age);
SELECT p.id FROM person AS p JOIN tag AS t ON t.code = p.age;

-- rule: parent_for_nothing
-- match
SELECT v.place FROM visit AS v JOIN city AS c ON c.id = v.city_id;
SELECT place FROM visit;
-- TO MEND: not proved yet when this was written
SELECT p.name FROM person AS p JOIN city AS c ON c.id = p.city_id;
SELECT name FROM person WHERE city_id IS NOT NULL;
-- differ
-- TO MEND: proved wrongly when this was written
SELECT p.city_id FROM person AS p JOIN city AS c ON c.id = p.city_id;
SELECT city_id FROM person;
SELECT v.place FROM visit AS v JOIN city AS c ON c.id = v.day;
SELECT place FROM visit WHERE day IS NOT NULL;

-- rule: same_row_twice
-- match
SELECT a.name FROM person AS a JOIN person AS b ON a.id = b.id WHERE b.age > 1;
SELECT name FROM person WHERE age > 1;
SELECT a.day FROM visit AS a JOIN visit AS b ON a.person_id = b.person_id AND a.place = b.place;
SELECT day FROM visit;
-- differ
SELECT a.day FROM visit AS a JOIN visit AS b ON a.person_id = b.person_id;
SELECT day FROM visit;
SELECT a.b FROM log AS a JOIN log AS c ON a.b = c.b;
SELECT b FROM log;

-- rule: equal_columns
-- match
SELECT p.city_id FROM person AS p JOIN city AS c ON c.id = p.city_id WHERE c.size = 1;
SELECT c.id FROM person AS p JOIN city AS c ON c.id = p.city_id WHERE c.size = 1;
SELECT name, age FROM person WHERE age = 5;
SELECT name, 5 FROM person WHERE age = 5;
-- differ
SELECT p.city_id FROM person AS p LEFT JOIN city AS c ON c.id = p.city_id AND c.size = 1;
SELECT c.id FROM person AS p LEFT JOIN city AS c ON c.id = p.city_id AND c.size = 1;
-- why: of nothing, the column is NULL and the literal is not
-- TO MEND: proved wrongly when this was written
SELECT region, COUNT(*) FROM city WHERE region = 'zz';
SELECT 'zz', COUNT(*) FROM city WHERE region = 'zz';
-- why: '05' equals the column 5, and is not the text '5'
SELECT p.id FROM person AS p, tag AS t WHERE p.age = 5 AND p.age = t.code;
SELECT p.id FROM person AS p, tag AS t WHERE p.age = 5 AND t.code = '5';

-- rule: set_operation_as_filter
-- match
SELECT id FROM city INTERSECT SELECT city_id FROM visit;
SELECT DISTINCT id FROM city WHERE EXISTS (SELECT 1 FROM visit WHERE visit.city_id = city.id);
SELECT id FROM city EXCEPT SELECT city_id FROM person WHERE city_id IS NOT NULL;
SELECT id FROM city WHERE NOT EXISTS (SELECT 1 FROM person WHERE person.city_id = city.id);
-- differ
SELECT a FROM log INTERSECT SELECT size FROM city;
SELECT DISTINCT a FROM log WHERE a IN (SELECT size FROM city);
SELECT b FROM log EXCEPT SELECT size FROM city;
SELECT b FROM log WHERE NOT EXISTS (SELECT 1 FROM city WHERE city.size = log.b);
