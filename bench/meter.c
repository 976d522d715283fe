/* meter.c - runs a command several times, one after the other, and says what it took.
 *   meter ROUNDS MOST_STATUS COMMAND [ARGUMENT...]
 * One line: least seconds, median seconds, largest resident set of all rounds in KiB. Seconds are processor time, of the program and of the
 * system for it, so that other work on the machine counts little. The command's standard output is thrown away.
 * Status 1 if the command could not be run or ended above MOST_STATUS. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_ROUNDS = 101 };

static double seconds_of(struct timeval t) { return (double)t.tv_sec + (double)t.tv_usec * 1e-6; }

static int by_size(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

int main(int argc, char **argv)
{
    int  rounds = argc > 3 ? atoi(argv[1]) : 0, most = argc > 3 ? atoi(argv[2]) : 0;
    long peak = 0;
    if (rounds < 1 || rounds > MOST_ROUNDS) {
        fputs("usage: meter ROUNDS MOST_STATUS COMMAND [ARGUMENT...]\n", stderr);
        return 2;
    }
    double seconds[MOST_ROUNDS];
    for (int i = 0; i < rounds; i++) {
        struct rusage used;
        int           status;
        pid_t         child = fork();
        if (child == 0) {
            int nowhere = open("/dev/null", O_WRONLY);
            if (nowhere >= 0) dup2(nowhere, 1);
            execvp(argv[3], argv + 3);
            perror(argv[3]);
            _exit(127);
        }
        if (child < 0 || wait4(child, &status, 0, &used) != child) {
            perror("meter");
            return 1;
        }
        seconds[i] = seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
        if (used.ru_maxrss > peak) peak = used.ru_maxrss;
        if (!WIFEXITED(status) || WEXITSTATUS(status) > most) {
            fprintf(stderr, "meter: %s ended with %s %d\n", argv[3], WIFEXITED(status) ? "status" : "signal",
                    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
            return 1;
        }
    }
    qsort(seconds, (size_t)rounds, sizeof *seconds, by_size);
    printf("%.6f %.6f %ld\n", seconds[0], seconds[rounds / 2], peak);
    return 0;
}
