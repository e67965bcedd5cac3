ATTACH ':memory:' AS x; PRAGMA user_version; SELECT load_extension('x'), zeroblob(9) FROM sqlite_schema
