/*
 * Threads that wait for the reply to a message.
 *
 * ALPC (Vista on): ETHREAD.AlpcMessage is the message; it names its waiting thread, which proves
 * it, and the thread that serves it. One that nobody has received is the business of the process
 * that owns the port in whose queue it is.
 *
 * LPC (before): a thread that has received a message keeps its number (LpcReceivedMessageId), the
 * one that waits keeps the number of the message it wants the reply to. Until one is received, the
 * port that the waiting thread has sent it to (LpcWaitingOnPort, low bits are flags) leads to the
 * server's process.
 */
#include "nt/wait_edges.h"

#include "nt/address_map.h"

#define PORT_FLAGS 3u /* low bits of LpcWaitingOnPort; bit 0: it is a port, not the reply */
#define PORT_IS_PORT 1u

struct finder {
    struct ds_edge_builder *b;
    /* ALPC */
    struct ds_field message, waiting_thread, server_thread, queue, connection, port_process;
    bool have_queue, have_connection;
    const char *lacks_alpc;
    /* LPC */
    struct ds_field reply_id, received_id, received_valid, port, port_connection, server_process;
    bool have_port;
    const char *lacks_lpc;
    bool have_received;
    struct ds_address_map received; /* message number to the row of the thread that serves it */
};

static const char *resolve_alpc(struct finder *f, const struct ds_target *t)
{
    if (ds_target_member(t, "_ETHREAD", "AlpcMessage", &f->message, NULL) != DS_OK)
        return "_ETHREAD.AlpcMessage";
    if (ds_target_member(t, "_KALPC_MESSAGE", "WaitingThread", &f->waiting_thread, NULL) != DS_OK)
        return "_KALPC_MESSAGE.WaitingThread";
    if (ds_target_member(t, "_KALPC_MESSAGE", "ServerThread", &f->server_thread, NULL) != DS_OK)
        return "_KALPC_MESSAGE.ServerThread";
    if (ds_target_member(t, "_ALPC_PORT", "OwnerProcess", &f->port_process, NULL) != DS_OK)
        return "_ALPC_PORT.OwnerProcess";
    f->have_queue = ds_target_member(t, "_KALPC_MESSAGE", "PortQueue", &f->queue, NULL) == DS_OK;
    f->have_connection =
        ds_target_member(t, "_KALPC_MESSAGE", "ConnectionPort", &f->connection, NULL) == DS_OK;
    return NULL;
}

static const char *resolve_lpc(struct finder *f, const struct ds_target *t)
{
    if (ds_target_member(t, "_ETHREAD", "LpcReplyMessageId", &f->reply_id, NULL) != DS_OK)
        return "_ETHREAD.LpcReplyMessageId";
    if (ds_target_member(t, "_ETHREAD", "LpcReceivedMessageId", &f->received_id, NULL) != DS_OK)
        return "_ETHREAD.LpcReceivedMessageId";
    if (ds_target_member(t, "_ETHREAD", "LpcReceivedMsgIdValid", &f->received_valid, NULL) != DS_OK)
        return "_ETHREAD.LpcReceivedMsgIdValid";
    f->have_port = ds_target_member(t, "_ETHREAD", "LpcWaitingOnPort", &f->port, NULL) == DS_OK &&
                   ds_target_member(t, "_LPCP_PORT_OBJECT", "ConnectionPort", &f->port_connection,
                                    NULL) == DS_OK &&
                   ds_target_member(t, "_LPCP_PORT_OBJECT", "ServerProcess", &f->server_process,
                                    NULL) == DS_OK;
    return NULL;
}

static void add(struct finder *f, const struct ds_wait_block *w, enum ds_wait_kind_number kind,
                uint64_t owner, bool process, uint64_t object)
{
    f->b->kinds[kind].followed++;
    ds_edge_add(f->b, (struct ds_wait_edge){.waiter = w->ethread,
                                            .owner = owner,
                                            .owner_kind = process ? "process" : "thread",
                                            .object = object,
                                            .kind = kind == DS_WAIT_ALPC ? "ALPC" : "LPC",
                                            .any = w->any,
                                            .timeout = w->timeout});
}

/* ---- ALPC ---- */

/* The process that owns the port which a member of the message points to; 0 when there is none. */
static uint64_t port_owner(struct finder *f, uint64_t message, const struct ds_field *member)
{
    const struct ds_target *t = f->b->nt->target;
    struct ds_opt port = ds_target_read_member(t, message, member);
    if (ds_opt_or(port, 0) == 0)
        return 0;
    struct ds_opt process = ds_target_read_member(t, port.value, &f->port_process);
    if (ds_opt_or(process, 0) == 0)
        return 0;
    return ds_opt_or(ds_edge_is(f->b, process.value, DS_EDGE_PROCESS), 0) != 0 ? process.value : 0;
}

static void follow_alpc(struct finder *f, const struct ds_wait_block *w, uint64_t message)
{
    const struct ds_target *t = f->b->nt->target;
    struct ds_opt waiter = ds_target_read_member(t, message, &f->waiting_thread);
    struct ds_opt server = ds_target_read_member(t, message, &f->server_thread);
    if (!waiter.known || !server.known) {
        ds_edge_lost(f->b, DS_WAIT_ALPC, waiter.known ? server.why : waiter.why, w->ethread,
                     "the message that it waits for a reply to cannot be read");
        return;
    }
    if (waiter.value != w->ethread) {
        ds_edge_lost(f->b, DS_WAIT_ALPC, DS_NOT_FOUND, w->ethread,
                     "the message that it names names another thread");
        return;
    }
    if (server.value != 0 && ds_opt_or(ds_edge_is(f->b, server.value, DS_EDGE_THREAD), 0) != 0) {
        add(f, w, DS_WAIT_ALPC, server.value, false, message);
        return;
    }
    uint64_t process = f->have_queue ? port_owner(f, message, &f->queue) : 0;
    if (process == 0 && f->have_connection)
        process = port_owner(f, message, &f->connection);
    if (process != 0)
        add(f, w, DS_WAIT_ALPC, process, true, message);
    else
        ds_edge_lost(f->b, DS_WAIT_ALPC, DS_NOT_FOUND, w->ethread,
                     "neither a thread that serves the message nor the owner of its port is known");
}

/* ---- LPC ---- */

/* Which thread has received which message. A message has one number while it is on its way; should
   a damaged dump show it at two threads, the first one counts. */
static void find_received(struct finder *f)
{
    const struct ds_target *t = f->b->nt->target;
    const struct ds_threads *threads = ds_nt_threads(f->b->nt);
    f->have_received = true;
    for (uint32_t i = 0; i < threads->count; i++) {
        uint64_t at = threads->rows[i].ethread;
        if (ds_opt_or(ds_target_read_member(t, at, &f->received_valid), 0) == 0)
            continue;
        struct ds_opt id = ds_target_read_member(t, at, &f->received_id);
        if (ds_opt_or(id, 0) == 0)
            continue;
        if (!ds_address_map_put(&f->received, id.value, i)) {
            ds_edge_lost(f->b, DS_WAIT_LPC, DS_NO_MEMORY, at, "out of memory for the messages");
            return;
        }
    }
}

/* The server's process, by the port that the message was sent to; 0 when it cannot be told. */
static uint64_t lpc_process(struct finder *f, uint64_t ethread, uint64_t *port)
{
    const struct ds_target *t = f->b->nt->target;
    struct ds_opt at =
        f->have_port ? ds_target_read_member(t, ethread, &f->port) : ds_opt_unknown(DS_NO_FIELD);
    if ((ds_opt_or(at, 0) & PORT_IS_PORT) == 0)
        return 0;
    *port = at.value & ~(uint64_t)PORT_FLAGS;
    struct ds_opt server = ds_target_read_member(t, *port, &f->port_connection);
    if (ds_opt_or(server, 0) == 0)
        return 0;
    struct ds_opt process = ds_target_read_member(t, server.value, &f->server_process);
    if (ds_opt_or(process, 0) == 0)
        return 0;
    return ds_opt_or(ds_edge_is(f->b, process.value, DS_EDGE_PROCESS), 0) != 0 ? process.value : 0;
}

static void follow_lpc(struct finder *f, const struct ds_wait_block *w, uint32_t id)
{
    const struct ds_threads *threads = ds_nt_threads(f->b->nt);
    uint32_t server = DS_NO_ROW;
    uint64_t port = w->object.value, process = lpc_process(f, w->ethread, &port);
    if (!f->have_received)
        find_received(f);
    if (ds_address_map_get(&f->received, id, &server))
        add(f, w, DS_WAIT_LPC, threads->rows[server].ethread, false, port);
    else if (process != 0)
        add(f, w, DS_WAIT_LPC, process, true, port);
    else
        ds_edge_lost(f->b, DS_WAIT_LPC, DS_NOT_FOUND, w->ethread,
                     "no thread has received the message, and its port does not lead to a process");
}

/* ---- all ---- */

static void follow(struct finder *f, const struct ds_wait_block *w)
{
    const struct ds_target *t = f->b->nt->target;
    if (f->lacks_lpc == NULL) {
        f->b->kinds[DS_WAIT_LPC].waiting++;
        struct ds_opt id = ds_target_read_member(t, w->ethread, &f->reply_id);
        if (ds_opt_or(id, 0) != 0)
            follow_lpc(f, w, (uint32_t)id.value);
        else
            ds_edge_lost(f->b, DS_WAIT_LPC, id.known ? DS_NOT_FOUND : id.why, w->ethread,
                         "it does not say which message it waits for a reply to");
        return;
    }
    f->b->kinds[DS_WAIT_ALPC].waiting++;
    if (f->lacks_alpc != NULL)
        return;
    struct ds_opt message = ds_target_read_member(t, w->ethread, &f->message);
    if (ds_opt_or(message, 0) != 0)
        follow_alpc(f, w, message.value);
    else
        ds_edge_lost(f->b, DS_WAIT_ALPC, message.known ? DS_NOT_FOUND : message.why, w->ethread,
                     "it does not say which message it waits for a reply to");
}

void ds_edges_of_messages(struct ds_edge_builder *b)
{
    const struct ds_wait_blocks *waits = ds_nt_wait_blocks(b->nt);
    const struct ds_threads *threads = ds_nt_threads(b->nt);
    struct finder f = {.b = b};
    f.lacks_alpc = resolve_alpc(&f, b->nt->target);
    f.lacks_lpc = resolve_lpc(&f, b->nt->target);
    if (f.lacks_alpc != NULL)
        ds_edge_unavailable(b, DS_WAIT_ALPC, f.lacks_alpc);
    if (f.lacks_lpc != NULL)
        ds_edge_unavailable(b, DS_WAIT_LPC, f.lacks_lpc);
    for (size_t i = 0; i < waits->count && !b->full; i++) {
        const struct ds_wait_block *w = &waits->rows[i];
        if (w->number == 0 && ds_thread_waits_for(&threads->rows[w->thread], "WrLpcReply"))
            follow(&f, w);
    }
    ds_address_map_deinit(&f.received);
}
