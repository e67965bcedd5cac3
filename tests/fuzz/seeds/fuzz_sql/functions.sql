SELECT printf('%08x %s', code, bugcheck_name(code)), filetime(132583451029877657), ntstatus(p1) FROM bugcheck
