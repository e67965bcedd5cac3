/*
 * Every cap of dumpscan, in one place. A cap that is hit is always reported (DS_LIMIT, a row in
 * `walks` or `integrity`), never silent.
 */
#ifndef DS_BASE_LIMITS_H
#define DS_BASE_LIMITS_H

#define DS_LIMIT_ALLOC (64u << 20)        /* bytes in one allocation that a dump can influence */
#define DS_LIMIT_ARENA (512u << 20)       /* bytes in all rows and strings of one snapshot */
#define DS_LIMIT_STRING 4096              /* UTF-16 units of one counted string from a dump */
#define DS_LIMIT_INTEGRITY 256            /* integrity notes kept per dump */
#define DS_LIMIT_RUNS 65536               /* physical memory runs */
#define DS_LIMIT_RANGES 1048576           /* memory ranges of a dump that a debugger wrote */
#define DS_LIMIT_RUN_ENTRIES 8388608      /* page-table entries in one listing of a space */
#define DS_LIMIT_DATA_BLOCKS 262144       /* data blocks of a triage dump */
#define DS_LIMIT_DRIVERS 4096             /* drivers in a triage dump's list */
#define DS_LIMIT_UNLOADED 256             /* unloaded driver records */
#define DS_LIMIT_BLOBS 1024               /* secondary data blobs */
#define DS_LIMIT_BLOB (4u << 20)          /* bytes of one secondary data blob that is decoded */
#define DS_LIMIT_WHEA_RECORD (64u << 10)  /* bytes of one hardware error record */
#define DS_LIMIT_WHEA_SECTIONS 64         /* sections of one hardware error record */
#define DS_LIMIT_POWER_LIST 4096          /* entries of one list of the power manager */
#define DS_LIMIT_DPC_PROFILE (1u << 20)   /* bytes of one processor's profile of long DPCs */
#define DS_LIMIT_DPC_SAMPLES 262144       /* samples of all of them */
#define DS_LIMIT_PROCESSORS 2048          /* processors */
#define DS_LIMIT_MODULES 8192             /* entries of PsLoadedModuleList */
#define DS_LIMIT_PROCESSES 262144         /* processes */
#define DS_LIMIT_SPACES 16                /* address spaces of processes kept open */
#define DS_LIMIT_READ_TEXT (16u << 20)    /* bytes of one formatted listing of memory */
#define DS_LIMIT_READ_RAW (64ull << 30)   /* bytes of one raw copy of memory */
#define DS_LIMIT_MAP_ENTRIES 67108864     /* page-table entries read for one */
#define DS_LIMIT_MAP_ROWS 1048576         /* rows of a map of an address space */
#define DS_LIMIT_VADS 1048576             /* virtual address descriptors of one process */
#define DS_LIMIT_VAD_DEPTH 64             /* levels of their tree */
#define DS_LIMIT_THREADS 1048576          /* threads */
#define DS_LIMIT_HANDLE_PAGES 131072      /* pages of all handle tables that are counted */
#define DS_LIMIT_OBJECTS 262144           /* named objects */
#define DS_LIMIT_OBJECT_DEPTH 32          /* directories in directories */
#define DS_LIMIT_OBJECT_PATH 8192         /* bytes of a path in UTF-8 */
#define DS_LIMIT_DRIVER_OBJECTS 16384     /* driver objects */
#define DS_LIMIT_DISPATCHES 458752        /* dispatch routines of all of them */
#define DS_LIMIT_DEVICES 65536            /* device objects */
#define DS_LIMIT_DEVICE_STACK 64          /* devices attached to one another */
#define DS_LIMIT_HANDLES 1048576          /* handles of one process that are listed */
#define DS_LIMIT_ERESOURCES 1048576       /* executive resources, and owners of all of them */
#define DS_LIMIT_OWNER_TABLE 65536        /* entries of one owner table */
#define DS_LIMIT_OWNER_ENTRIES 4194304    /* entries of all owner tables looked at */
#define DS_LIMIT_THREAD_IRPS 4096         /* IRPs in the list of one thread */
#define DS_LIMIT_THREAD_MUTANTS 65536     /* mutants that one thread owns */
#define DS_LIMIT_THREAD_WAITS 65          /* wait blocks of one thread: 64 objects, a timer */
#define DS_LIMIT_WAIT_BLOCKS 1048576      /* wait blocks */
#define DS_LIMIT_POOLS 64                 /* paged pools */
#define DS_LIMIT_POOL_TAGS 262144         /* entries of one table of pool tags */
#define DS_LIMIT_POOL_TABLES 64           /* such tables: one for each processor */
#define DS_LIMIT_SYSTEM_PTES 16777216     /* page table entries of the system looked at */
#define DS_LIMIT_DPCS 65536               /* DPCs queued to all processors */
#define DS_LIMIT_TIMERS 262144            /* timers in all timer tables */
#define DS_LIMIT_TIMER_BUCKETS 2048       /* lists of one timer table */
#define DS_LIMIT_READY 1048576            /* threads in all ready queues */
#define DS_LIMIT_WORKER_QUEUES 4096       /* queues of worker threads */
#define DS_LIMIT_WORK_ITEMS 262144        /* items in all of them */
#define DS_LIMIT_STACK_BYTES (256u << 10) /* bytes of one kernel stack that are scanned */
#define DS_LIMIT_FRAMES 256               /* frames of one stack */
#define DS_LIMIT_SYMBOL_FILE (256u << 20) /* inflated bytes of one symbol table */
#define DS_LIMIT_SYMBOLS 1048576          /* symbols of one module */
#define DS_LIMIT_SYMBOL_TEXT (64u << 20)  /* bytes of all names of one module */
#define DS_LIMIT_XZ_MEMORY (96u << 20)    /* bytes an xz stream may make its decoder use */
#define DS_LIMIT_TYPES 65536              /* structs of one symbol table */
#define DS_LIMIT_TYPE_FIELDS 1048576      /* members of all of them */
#define DS_LIMIT_EXPORTS 65536            /* names in one export table */
#define DS_LIMIT_EXPORT_BYTES (4u << 20)  /* bytes of one export table */
#define DS_LIMIT_RESOURCES 1024           /* entries looked at in one resource directory */
#define DS_LIMIT_VERSION_RESOURCE 65536   /* bytes of one version resource */
#define DS_LIMIT_SEARCH_ENTRIES 65536     /* entries looked at in one folder of symbols */
#define DS_LIMIT_JSON_DEPTH 64            /* nesting of a JSON input */
#define DS_LIMIT_JSON_TOKEN (64u << 10)   /* bytes of one string of a JSON input */
#define DS_LIMIT_PATTERN_FILE (1u << 20)  /* bytes of one pattern file */
#define DS_LIMIT_SQL_ROWS 1000000         /* rows of one query result */
#define DS_LIMIT_SQL_MS 10000             /* milliseconds of one query */
#define DS_LIMIT_FINDING_ROWS 200         /* instances kept per finding */
#define DS_LIMIT_DT_MEMBERS 65536u        /* members in one listing of a structure */
#define DS_LIMIT_DT_DEPTH 8u              /* levels of structures within structures */
#define DS_LIMIT_DT_ITEMS 16u             /* elements of an array in it */
#define DS_LIMIT_FINDING_STACKS 64        /* stacks of threads in all findings of one report */
#define DS_LIMIT_WAIT_EDGES 524288        /* edges of the wait graph */
#define DS_LIMIT_GRAPH_EDGES 20000        /* edges that are drawn of it */
#define DS_LIMIT_WAIT_WORK 67108864       /* edges gone over to count who hangs on what */
#define DS_LIMIT_SERIES 16384             /* dumps that are compared with one another */
#define DS_LIMIT_KERNEL_SCAN (64u << 20)  /* bytes of a kernel image searched for KDBG, lists */
#define DS_LIMIT_SCAN_PAGES 4194304       /* physical pages searched for a page directory, KDBG */
#define DS_LIMIT_DTB_PROBES 65536         /* page directories tried out */
#define DS_LIMIT_KERNEL_ENTRIES 2097152   /* table entries on the search for the kernel image */
#define DS_LIMIT_KERNEL_PAGES 1048576     /* mapped pages searched for it */
#define DS_LIMIT_IMAGES 4096              /* images looked at while searching for the kernel */
#define DS_LIMIT_IMAGE_STEPS 16384        /* pages gone down from an address to its image */
#define DS_LIMIT_SCAN_LINKS 1048576       /* pointers followed while searching for list heads */

/* Reading a kdump in a process of its own. */
#define DS_LIMIT_WORKER_MEMORY (1ull << 30) /* bytes that the process may take */
#define DS_LIMIT_WORKER_SECONDS 10          /* seconds for one request */
#define DS_LIMIT_WORKER_STARTS 16           /* processes started for one dump, should they crash */

/* Writing a dump. */
#define DS_LIMIT_WRITE_PAGES (1ull << 30) /* pages of physical addresses, 4 TiB */

/* Archives. */
#define DS_LIMIT_BEHIND_DUMP (1ull << 30)  /* bytes an archive holds behind what its dump states */
#define DS_LIMIT_INFLATED (64ull << 30)    /* bytes that one archive member inflates to */
#define DS_LIMIT_DEFLATE_BLOCK (64u << 20) /* bytes between two places to go on inflating from */
#define DS_LIMIT_FLAT_RECORDS 2097152      /* records of a flattened kdump */
#define DS_LIMIT_ZIP_MEMBERS 65536         /* entries of a zip directory */
#define DS_LIMIT_ZIP_DIRECTORY (16u << 20) /* bytes of a zip directory */

#endif
