/*
 * From bytes to finished reports: everything that `dumpscan FILE` does. The JSON must parse, the
 * text must be free of control characters, and both must end in an agreed exit status.
 * Corpus: *.dmp
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "dumpscan/dumpscan.h"

static void check_json(struct ds_snapshot *s, enum ds_format format)
{
    char *text;
    size_t len;
    if (ds_snapshot_report_string(s, format, 0, &text, &len, NULL) != DS_OK)
        return;
    if (strlen(text) != len)
        abort();
    cJSON *j = cJSON_Parse(text);
    const cJSON *status = cJSON_GetObjectItem(j, "exit_status");
    if (!cJSON_IsNumber(status) || (status->valueint != 0 && status->valueint != 4) ||
        status->valueint != ds_snapshot_exit_status(s, NULL))
        abort();
    cJSON_Delete(j);
    ds_string_free(text);
}

static void check_text(struct ds_snapshot *s, unsigned flags)
{
    char *text;
    if (ds_snapshot_report_string(s, DS_FORMAT_TEXT, flags, &text, NULL, NULL) != DS_OK)
        return;
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 && *c != '\n')
            abort();
    ds_string_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ds_snapshot *s;
    struct ds_err err = {DS_OK, ""};
    enum ds_status status = ds_snapshot_open_memory(data, size, "fuzz", NULL, &s, &err);
    if (status != DS_OK) {
        if (err.status != status || err.text[0] == '\0')
            abort();
        return 0;
    }
    char *info;
    if (ds_snapshot_info_string(s, DS_FORMAT_JSON, 0, &info, NULL, NULL) == DS_OK) {
        cJSON *j = cJSON_Parse(info);
        if (j == NULL)
            abort();
        cJSON_Delete(j);
        ds_string_free(info);
    }
    check_json(s, DS_FORMAT_JSONL);
    check_text(s, 0);
    check_text(s, DS_REPORT_VERBOSE);
    ds_snapshot_close(s);
    return 0;
}
