-- The tables of every golden pair. The same text serves both dialects.
CREATE TABLE city (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  region TEXT,
  size INTEGER
);
CREATE TABLE person (
  id INTEGER PRIMARY KEY,
  name TEXT,
  city_id INTEGER REFERENCES city(id),
  boss_id INTEGER REFERENCES person(id),
  age INTEGER NOT NULL,
  score REAL
);
CREATE TABLE visit (
  person_id INTEGER NOT NULL REFERENCES person(id),
  place TEXT NOT NULL,
  city_id INTEGER NOT NULL REFERENCES city(id),
  day INTEGER,
  cost REAL,
  PRIMARY KEY (person_id, place)
);
CREATE TABLE tag (
  code TEXT PRIMARY KEY,
  label TEXT
);
CREATE TABLE log (
  a INTEGER,
  b INTEGER NOT NULL,
  c INTEGER,
  s TEXT,
  t TEXT NOT NULL,
  r REAL
);
CREATE TABLE word (
  id INTEGER PRIMARY KEY,
  w TEXT COLLATE NOCASE,
  x TEXT
);
CREATE TABLE event (
  id INTEGER PRIMARY KEY,
  day DATE NOT NULL,
  seen DATE
);
