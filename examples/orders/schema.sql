-- Two shops may start at once, and CREATE TABLE IF NOT EXISTS alone would fail for one of them.
SELECT pg_advisory_xact_lock(20);

CREATE TABLE IF NOT EXISTS products (
  id integer PRIMARY KEY,
  name text NOT NULL,
  stock integer NOT NULL
);

CREATE TABLE IF NOT EXISTS orders (
  id serial PRIMARY KEY,
  product_id integer NOT NULL REFERENCES products (id),
  quantity integer NOT NULL
);

INSERT INTO products (id, name, stock) VALUES
  (1, 'ball of thread', 1000000),
  (2, 'lantern', 0)
ON CONFLICT (id) DO UPDATE SET stock = excluded.stock;
