// Roots and joins of a union-find array that all threads share; union_find.cu has the contract.
#pragma once
#include "warp.cuh"

// The root of a document's component; every link on the way is shortened by one.
__device__ __forceinline__ uint32_t find_root(volatile uint32_t* parents, uint32_t document) {
  uint32_t parent = parents[document];
  while (parent != document) {
    const uint32_t grandparent = parents[parent];
    if (grandparent != parent) parents[document] = grandparent;
    document = parent;
    parent = grandparent;
  }
  return document;
}

// Joins two components; whether they were two.
__device__ __forceinline__ bool join(uint32_t* parents, uint32_t first, uint32_t second) {
  uint32_t a = find_root(parents, first), b = find_root(parents, second);
  while (a != b) {
    const uint32_t larger = max(a, b), smaller = min(a, b);
    const uint32_t found = atomicCAS(parents + larger, larger, smaller);
    if (found == larger) return true;
    a = find_root(parents, found);
    b = find_root(parents, smaller);
  }
  return false;
}

// All threads of a warp come here together.
__device__ __forceinline__ void count_merges(int own, uint64_t* merges) {
  own = warp_sum(own);
  if (lane_index() == 0 && own) add_atomically(merges, uint64_t(own));
}
