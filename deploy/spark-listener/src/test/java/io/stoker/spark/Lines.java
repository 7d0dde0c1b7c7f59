// Lines: the warnings that the listener writes into the driver's log, for tests.
package io.stoker.spark;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.Logger;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.Property;

final class Lines implements AutoCloseable {
  final List<String> warnings = Collections.synchronizedList(new ArrayList<>());
  private final Logger logger = (Logger) LogManager.getLogger("io.stoker.spark.StokerListener");
  private final AbstractAppender lister = new AbstractAppender("lister", null, null, true, Property.EMPTY_ARRAY) {
    @Override public void append(LogEvent event) {
      if (event.getLevel().isMoreSpecificThan(Level.WARN)) warnings.add(event.getMessage().getFormattedMessage());
    }
  };

  Lines() {
    lister.start();
    logger.addAppender(lister);
  }

  /** Those that begin so: the thread of another test may have something to say, too. */
  List<String> of(String beginning) {
    synchronized (warnings) {
      return warnings.stream().filter(line -> line.startsWith(beginning)).collect(Collectors.toList());
    }
  }

  @Override public void close() {
    logger.removeAppender(lister);
  }
}
