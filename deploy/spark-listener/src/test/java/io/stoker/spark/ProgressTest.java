// ProgressTest: who waits how long, on a clock of its own: nothing here sleeps.
package io.stoker.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ProgressTest {
  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
  private long nowNs = 5;

  private Progress progress(long seconds) {
    return new Progress(seconds * SECOND, () -> nowNs);
  }

  @Test void nothingOutstandingWaitsForNothing() throws Exception {
    Progress progress = progress(10);
    progress.accepted();
    progress.acknowledged();
    progress.end();
    assertEquals(0, progress.await());
  }

  @Test void withoutATimeItDoesNotWait() throws Exception {
    Progress progress = progress(0);
    progress.accepted();
    progress.end();
    assertEquals(1, progress.await());
    assertTrue(progress.over());
  }

  @Test void theDeadlineIsTheFirstEnd() throws Exception {
    Progress progress = progress(10);
    progress.accepted();
    progress.end();
    nowNs += 6 * SECOND;
    progress.exit(); // the JVM ends, too: no second deadline
    assertFalse(progress.over());
    nowNs += 4 * SECOND;
    assertTrue(progress.over());
    assertEquals(1, progress.await());
  }

  @Test void silenceBeforeTheEndCounts() throws Exception {
    Progress progress = progress(10);
    progress.accepted(); // and Kafka does not answer
    nowNs += 10 * SECOND;
    progress.end();
    long startNs = nowNs;
    assertEquals(Progress.GRACE_NS, progress.leftNs(startNs));
    nowNs += Progress.GRACE_NS;
    assertEquals(0, progress.leftNs(startNs));
  }

  @Test void answersKeepTheEndWaitingToItsDeadline() {
    Progress progress = progress(10);
    progress.accepted();
    progress.accepted();
    nowNs += 60 * SECOND;
    progress.acknowledged();
    nowNs += 4 * SECOND;
    progress.end();
    assertEquals(6 * SECOND, progress.leftNs(nowNs)); // ten since the last answer
    progress.accepted();
    nowNs += SECOND;
    progress.acknowledged();
    assertEquals(9 * SECOND, progress.leftNs(nowNs)); // the deadline
  }

  @Test void silenceIsMeasuredFromTheLastAnswerOrTheFirstThatWaits() {
    Progress progress = progress(10);
    nowNs += 50 * SECOND;
    assertEquals(0, progress.silentMs());
    progress.accepted();
    progress.accepted();
    nowNs += 31 * SECOND;
    assertEquals(31_000, progress.silentMs());
    progress.acknowledged();
    assertEquals(0, progress.silentMs());
  }

  @Test void anAnswerEndsTheWaiting() throws Exception {
    Progress progress = progress(3600);
    progress.accepted();
    progress.end();
    Thread answer = new Thread(progress::acknowledged);
    answer.start();
    assertEquals(0, progress.await());
    answer.join();
  }

  @Test void theSendersEndEndsTheWaiting() throws Exception {
    Progress progress = progress(3600);
    progress.accepted();
    progress.end();
    Thread end = new Thread(progress::done);
    end.start();
    assertEquals(1, progress.await());
    end.join();
  }

  @Test void atTheJvmsEndNothingMoreIsWaitedFor() {
    Progress progress = progress(10);
    progress.accepted();
    progress.end();
    progress.acknowledged();
    assertFalse(progress.over()); // late events may come
    progress.exit();
    assertTrue(progress.over());
  }
}
