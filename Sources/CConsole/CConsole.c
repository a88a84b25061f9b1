#include "CConsole.h"

// A new file needs its bytes here and a line in the table.
static const unsigned char index_html[] = {
#embed "files/index.html"
};
static const unsigned char console_css[] = {
#embed "files/console.css"
};
static const unsigned char icon_svg[] = {
#embed "files/icon.svg"
};
static const unsigned char console_js[] = {
#embed "files/console.js"
};
static const unsigned char api_js[] = {
#embed "files/api.js"
};
static const unsigned char audit_js[] = {
#embed "files/audit.js"
};
static const unsigned char budgets_js[] = {
#embed "files/budgets.js"
};
static const unsigned char charts_js[] = {
#embed "files/charts.js"
};
static const unsigned char deliveries_js[] = {
#embed "files/deliveries.js"
};
static const unsigned char dialogs_js[] = {
#embed "files/dialogs.js"
};
static const unsigned char dom_js[] = {
#embed "files/dom.js"
};
static const unsigned char drop_js[] = {
#embed "files/drop.js"
};
static const unsigned char format_js[] = {
#embed "files/format.js"
};
static const unsigned char forms_js[] = {
#embed "files/forms.js"
};
static const unsigned char icons_js[] = {
#embed "files/icons.js"
};
static const unsigned char keys_js[] = {
#embed "files/keys.js"
};
static const unsigned char limits_js[] = {
#embed "files/limits.js"
};
static const unsigned char overview_js[] = {
#embed "files/overview.js"
};
static const unsigned char parts_js[] = {
#embed "files/parts.js"
};
static const unsigned char pictures_js[] = {
#embed "files/pictures.js"
};
static const unsigned char signin_js[] = {
#embed "files/signin.js"
};
static const unsigned char snippets_js[] = {
#embed "files/snippets.js"
};
static const unsigned char task_js[] = {
#embed "files/task.js"
};
static const unsigned char tasks_js[] = {
#embed "files/tasks.js"
};
static const unsigned char tenants_js[] = {
#embed "files/tenants.js"
};
static const unsigned char try_js[] = {
#embed "files/try.js"
};
static const unsigned char usage_js[] = {
#embed "files/usage.js"
};
static const unsigned char webhooks_js[] = {
#embed "files/webhooks.js"
};

#define FILE_NAMED(name, type, bytes) {name, type "; charset=utf-8", bytes, sizeof bytes}

static const struct console_file console_files[] = {
    FILE_NAMED("index.html", "text/html", index_html),
    FILE_NAMED("console.css", "text/css", console_css),
    FILE_NAMED("icon.svg", "image/svg+xml", icon_svg),
    FILE_NAMED("console.js", "text/javascript", console_js),
    FILE_NAMED("api.js", "text/javascript", api_js),
    FILE_NAMED("audit.js", "text/javascript", audit_js),
    FILE_NAMED("budgets.js", "text/javascript", budgets_js),
    FILE_NAMED("charts.js", "text/javascript", charts_js),
    FILE_NAMED("deliveries.js", "text/javascript", deliveries_js),
    FILE_NAMED("dialogs.js", "text/javascript", dialogs_js),
    FILE_NAMED("dom.js", "text/javascript", dom_js),
    FILE_NAMED("drop.js", "text/javascript", drop_js),
    FILE_NAMED("format.js", "text/javascript", format_js),
    FILE_NAMED("forms.js", "text/javascript", forms_js),
    FILE_NAMED("icons.js", "text/javascript", icons_js),
    FILE_NAMED("keys.js", "text/javascript", keys_js),
    FILE_NAMED("limits.js", "text/javascript", limits_js),
    FILE_NAMED("overview.js", "text/javascript", overview_js),
    FILE_NAMED("parts.js", "text/javascript", parts_js),
    FILE_NAMED("pictures.js", "text/javascript", pictures_js),
    FILE_NAMED("signin.js", "text/javascript", signin_js),
    FILE_NAMED("snippets.js", "text/javascript", snippets_js),
    FILE_NAMED("task.js", "text/javascript", task_js),
    FILE_NAMED("tasks.js", "text/javascript", tasks_js),
    FILE_NAMED("tenants.js", "text/javascript", tenants_js),
    FILE_NAMED("try.js", "text/javascript", try_js),
    FILE_NAMED("usage.js", "text/javascript", usage_js),
    FILE_NAMED("webhooks.js", "text/javascript", webhooks_js),
};

size_t console_file_count(void) { return sizeof console_files / sizeof console_files[0]; }

const struct console_file *console_file_at(size_t index) { return &console_files[index]; }
