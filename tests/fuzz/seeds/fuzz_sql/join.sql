SELECT t.tid, p.name, field(t.ethread, '_KTHREAD.State') FROM threads t JOIN processes p ON p.eprocess = t.eprocess WHERE addr_gt(t.ethread, 5)
