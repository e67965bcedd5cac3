SELECT table_name, complete FROM walks WHERE table_name IN ('threads', 'modules') UNION SELECT kind, 1 FROM dump
