#include "base/process.h"

#include "base/clock.h"
#include "base/metrics.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static void cpu_read(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        metric_set(metrics_counter("process_cpu_seconds_total", NULL, "CPU time, user and system."), seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime));
}

struct process_memory process_memory(void)
{
    long long pages = 0, resident_pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL || fscanf(file, "%lld %lld", &pages, &resident_pages) != 2)
        pages = resident_pages = 0;
    if (file)
        fclose(file);
    int64_t page_bytes = sysconf(_SC_PAGESIZE);
    return (struct process_memory){pages * page_bytes, resident_pages * page_bytes};
}

static void memory_read(void)
{
    struct process_memory memory = process_memory();
    if (memory.resident_bytes == 0)
        return;
    metric_set(metrics_gauge("process_virtual_memory_bytes", NULL, "Virtual memory."), (double)memory.virtual_bytes);
    metric_set(metrics_gauge("process_resident_memory_bytes", NULL, "Resident memory."), (double)memory.resident_bytes);
}

static void descriptors_read(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        metric_set(metrics_gauge("process_max_fds", NULL, "Most file descriptors it may have open."), (double)limit.rlim_cur);
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL)
        return;
    int count = -1; /* the folder's own */
    for (const struct dirent *one; (one = readdir(folder));)
        count += one->d_name[0] != '.';
    closedir(folder);
    metric_set(metrics_gauge("process_open_fds", NULL, "File descriptors open."), count);
}

/* The kernel tells it in ticks since it came up: the 22nd of the values, of which the second, a name, may hold anything but its last bracket. */
static double up_at_start_s(void)
{
    char text[1024];
    unsigned long long ticks = 0;
    FILE *file = fopen("/proc/self/stat", "re");
    size_t size = file ? fread(text, 1, sizeof text - 1, file) : 0;
    text[size] = '\0';
    if (file)
        fclose(file);
    const char *name_end = strrchr(text, ')');
    if (name_end == NULL || sscanf(name_end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &ticks) != 1)
        return -1;
    return (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

static void start_read(void)
{
    struct timespec up;
    double began_s = up_at_start_s();
    if (began_s < 0 || clock_gettime(CLOCK_BOOTTIME, &up) != 0)
        return;
    double age_s = (double)up.tv_sec + (double)up.tv_nsec / 1e9 - began_s;
    metric_set(metrics_gauge("process_start_time_seconds", NULL, "When it was started, as seconds since the epoch."), (double)clock_now_ms(&clock_system) / 1000 - age_s);
}

/* Read once: reckoned anew it would be another millisecond each time, and a restart to whoever counts its changes. */
static void constants_read(void)
{
    static const char version[] = "version=\"" TS_VERSION "\"";
    metric_set(metrics_gauge("touchstream_build_info", version, "1; the label says which version this is."), 1);
    start_read();
}

void process_answer_metrics(struct http_exchange *exchange)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct bytes text = {0};
    pthread_once(&once, constants_read);
    cpu_read();
    memory_read();
    descriptors_read();
    metrics_render(&text);
    http_exchange_answer(exchange, 200, "text/plain; version=0.0.4; charset=utf-8", bytes_view(&text));
    bytes_finish(&text);
}
