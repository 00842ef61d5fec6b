package simulator

import (
	"container/heap"
	"time"
)

// task is one thing to do at its time: exactly one of the fields after seq is set.
type task struct {
	at  time.Time
	seq uint64 // keeps tasks of one moment in the order they were planned

	reply *dueReply // a contact sends a reply
	tell  *notice   // an event is told to every receiver
	retry *delivery // one receiver is tried again
}

// dueReply is the k-th reply of a contact to a message.
type dueReply struct {
	plannedReply
	id string
	to *record
}

// agenda is what is still to happen, soonest first.
type agenda struct {
	tasks   tasks
	nextSeq uint64
}

func (a *agenda) add(t task) {
	t.seq = a.nextSeq
	a.nextSeq++
	heap.Push(&a.tasks, t)
}

// due removes and returns the soonest task if its time has come.
func (a *agenda) due(now time.Time) (task, bool) {
	if len(a.tasks) == 0 || a.tasks[0].at.After(now) {
		return task{}, false
	}
	return heap.Pop(&a.tasks).(task), true
}

// untilNext is how long nothing is to do; an empty agenda says an hour, since
// whoever adds a task wakes the sleeper.
func (a *agenda) untilNext(now time.Time) time.Duration {
	if len(a.tasks) == 0 {
		return time.Hour
	}
	return max(a.tasks[0].at.Sub(now), 0)
}

// planned counts what has not happened yet, tries of what has left out.
func (a *agenda) planned() int {
	n := 0
	for _, t := range a.tasks {
		if t.retry == nil {
			n++
		}
	}
	return n
}

type tasks []task

func (t tasks) Len() int      { return len(t) }
func (t tasks) Swap(i, j int) { t[i], t[j] = t[j], t[i] }
func (t tasks) Less(i, j int) bool {
	if t[i].at.Equal(t[j].at) {
		return t[i].seq < t[j].seq
	}
	return t[i].at.Before(t[j].at)
}
func (t *tasks) Push(x any) { *t = append(*t, x.(task)) }
func (t *tasks) Pop() any {
	old := *t
	x := old[len(old)-1]
	old[len(old)-1] = task{}
	*t = old[:len(old)-1]
	return x
}
