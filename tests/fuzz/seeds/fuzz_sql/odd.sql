SELECT group_concat(hex(randomblob(99))), x'00ff', 1e999, CAST(x'ff' AS TEXT), 'a' LIKE '%a%' ESCAPE '\' FROM pragma_function_list, json_each('[1]')
