CREATE TABLE products (
  id integer PRIMARY KEY,
  name text NOT NULL,
  price_cents integer NOT NULL,
  stock integer NOT NULL
);

CREATE TABLE orders (
  id serial PRIMARY KEY,
  product_id integer NOT NULL REFERENCES products (id),
  quantity integer NOT NULL
);

INSERT INTO products (id, name, price_cents, stock) VALUES
  (1, 'ball of thread', 450, 100),
  (2, 'lantern', 1900, 25),
  (3, 'map of the labyrinth', 9900, 3);
