SELECT row_number() OVER (ORDER BY number), substr(replace(what, 'a', 'bb'), 2) FROM bootstrap_steps
