SELECT name, count(*) FROM modules GROUP BY name HAVING count(*) > 1 ORDER BY 2 DESC LIMIT 9
