package io.lb4j.control;

import io.lb4j.event.Event;
import io.lb4j.event.EventListener;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import jdk.jfr.AnnotationElement;
import jdk.jfr.Category;
import jdk.jfr.EventFactory;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.ValueDescriptor;

/**
 * Writes events into flight recordings, each type as one of its own: {@code io.lb4j.ServerDown} for {@link
 * Event.ServerDown}, with the record's components as fields, and with subject, text and the number of events that were
 * left out before it. All are in the category {@code lb4j}. Safe from any thread.
 *
 * <p>The only class that knows {@code jdk.jfr}: not to be touched where that module is missing.
 */
final class FlightRecords implements EventListener {
  private static final Map<Class<?>, Type> TYPES = new ConcurrentHashMap<>(); // dear to make, so made when needed

  /** One type of event, and how its fields are read. */
  private static final class Type {
    private final RecordComponent[] components;
    private final EventFactory factory;

    Type(Class<?> type) {
      components = type.getRecordComponents();
      List<AnnotationElement> annotations =
          List.of(
              new AnnotationElement(Name.class, "io.lb4j." + type.getSimpleName()),
              new AnnotationElement(Label.class, words(type.getSimpleName())),
              new AnnotationElement(Category.class, new String[] {"lb4j"}),
              new AnnotationElement(StackTrace.class, false));
      List<ValueDescriptor> fields = new ArrayList<>();
      fields.add(field(String.class, "subject"));
      fields.add(field(String.class, "text"));
      fields.add(field(long.class, "suppressed"));
      for (RecordComponent component : components) {
        Class<?> is = component.getType();
        fields.add(field(is.isPrimitive() ? is : String.class, component.getName()));
      }
      factory = EventFactory.create(annotations, fields);
    }

    private static ValueDescriptor field(Class<?> type, String name) {
      return new ValueDescriptor(type, name, List.of(new AnnotationElement(Label.class, words(name))));
    }

    /** {@code ServerDown} and {@code networkInterface} as words. */
    private static String words(String name) {
      String spaced = name.replaceAll("(?<=[a-z])(?=[A-Z])", " ").toLowerCase(Locale.ROOT);
      return spaced.substring(0, 1).toUpperCase(Locale.ROOT) + spaced.substring(1);
    }

    void write(Event event, long suppressed) {
      jdk.jfr.Event recorded = factory.newEvent();
      if (!recorded.shouldCommit()) {
        return;
      }
      int index = 0;
      recorded.set(index++, event.subject());
      recorded.set(index++, event.text());
      recorded.set(index++, suppressed);
      for (RecordComponent component : components) {
        recorded.set(index++, value(component, event));
      }
      recorded.commit();
    }

    private static Object value(RecordComponent component, Event event) {
      try {
        Object value = component.getAccessor().invoke(event);
        return component.getType().isPrimitive() ? value : text(value);
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException(e);
      }
    }

    private static String text(Object value) {
      return value instanceof Optional<?> optional ? optional.map(Object::toString).orElse("") : value.toString();
    }
  }

  @Override
  public void onEvent(Event event) {
    onEvent(event, 0);
  }

  @Override
  public void onEvent(Event event, long suppressed) {
    if (FlightRecorder.isInitialized()) {
      TYPES.computeIfAbsent(event.getClass(), Type::new).write(event, suppressed);
    }
  }
}
