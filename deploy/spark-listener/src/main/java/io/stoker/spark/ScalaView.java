// ScalaView: a look into Spark's objects that holds on Scala 2.12 and 2.13 and on every Spark: values by the names of their
// accessors, the elements of any Seq, and copies of objects with other values in some fields. It must never change an object that
// it is shown: Spark and other listeners hold the same.
package io.stoker.spark;

import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import scala.Option;
import scala.collection.immutable.$colon$colon;
import scala.collection.immutable.Nil$;

final class ScalaView {
  private static final Map<Class<?>, Map<String, Object>> ACCESSORS = new ConcurrentHashMap<>();
  private static final Map<Class<?>, Field[]> FIELDS = new ConcurrentHashMap<>();
  private static final Object NO_ACCESSOR = new Object();
  private static final Object UNSAFE;
  private static final Method ALLOCATE;

  static {
    try {
      // An object without a call of its constructor, whose arguments differ from one Spark to the next.
      Class<?> type = Class.forName("sun.misc.Unsafe");
      Field the = type.getDeclaredField("theUnsafe");
      the.setAccessible(true);
      UNSAFE = the.get(null);
      ALLOCATE = type.getMethod("allocateInstance", Class.class);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  private ScalaView() {}

  /** What the accessor says, out of its Option; null for None for an accessor that this Spark does not have, and of
   *  null. */
  static Object get(Object of, String accessor) throws ReflectiveOperationException {
    if (of == null) return null;
    Object method = ACCESSORS.computeIfAbsent(of.getClass(), type -> new ConcurrentHashMap<>())
        .computeIfAbsent(accessor, name -> accessor(of.getClass(), name));
    return method == NO_ACCESSOR ? null : bare(((Method) method).invoke(of));
  }

  private static Object accessor(Class<?> type, String name) {
    try {
      Method method = type.getMethod(name);
      method.setAccessible(true);
      return method;
    } catch (NoSuchMethodException e) {
      return NO_ACCESSOR;
    }
  }

  static Object bare(Object value) {
    return value instanceof Option ? ((Option<?>) value).getOrElse(() -> null) : value;
  }

  static String text(Object of, String accessor) throws ReflectiveOperationException {
    Object value = get(of, accessor);
    return value == null ? "" : value.toString();
  }

  /** The elements of a Seq, a Map, a tuple, an array or a Java collection; none of anything else. */
  static Iterator<?> each(Object list) {
    if (list instanceof scala.collection.Iterable) return view(((scala.collection.Iterable<?>) list).iterator());
    if (list instanceof Iterable) return ((Iterable<?>) list).iterator();
    if (list instanceof scala.Product && !(list instanceof Option)) return view(((scala.Product) list).productIterator());
    if (list == null || !list.getClass().isArray()) return Collections.emptyIterator();
    List<Object> elements = new ArrayList<>();
    for (int i = 0; i < Array.getLength(list); i++) elements.add(Array.get(list, i));
    return elements.iterator();
  }

  private static <T> Iterator<T> view(scala.collection.Iterator<T> of) {
    return new Iterator<T>() {
      @Override
      public boolean hasNext() {
        return of.hasNext();
      }

      @Override
      public T next() {
        return of.next();
      }
    };
  }

  /** An immutable Seq of these. */
  static scala.collection.immutable.List<Object> seq(List<?> elements) {
    scala.collection.immutable.List<Object> list = nil();
    for (int i = elements.size() - 1; i >= 0; i--) list = new $colon$colon<>(elements.get(i), list);
    return list;
  }

  @SuppressWarnings("unchecked")
  static scala.collection.immutable.List<Object> nil() {
    return (scala.collection.immutable.List<Object>) (Object) Nil$.MODULE$;
  }

  /** A copy of the object, no deeper, with other values in the fields that are named. */
  static Object copy(Object of, Map<String, ?> changed) throws ReflectiveOperationException {
    Object copy = ALLOCATE.invoke(UNSAFE, of.getClass());
    int left = changed.size();
    for (Field field : FIELDS.computeIfAbsent(of.getClass(), ScalaView::fields)) {
      boolean change = changed.containsKey(field.getName());
      field.set(copy, change ? changed.get(field.getName()) : field.get(of));
      left -= change ? 1 : 0;
    }
    if (left != 0) throw new NoSuchFieldException(of.getClass().getName() + ": one of " + new HashMap<>(changed).keySet());
    return copy;
  }

  private static Field[] fields(Class<?> type) {
    List<Field> fields = new ArrayList<>();
    for (Class<?> c = type; c != null; c = c.getSuperclass()) {
      for (Field field : c.getDeclaredFields()) {
        if (Modifier.isStatic(field.getModifiers())) continue;
        field.setAccessible(true);
        fields.add(field);
      }
    }
    return fields.toArray(new Field[0]);
  }
}
