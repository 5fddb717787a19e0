/** Makes something once for each object, and forgets it with the object: keys are decoded once for each version of an endpoint. */
export function oncePer<K extends object, V>(make: (object: K) => V): (object: K) => V {
  const made = new WeakMap<K, { readonly value: V }>();
  return (object) => {
    let entry = made.get(object);
    if (entry === undefined) made.set(object, (entry = { value: make(object) }));
    return entry.value;
  };
}
