package simulator

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// grace is how long attempts under way may still take when Run ends; their
// outcome unknown, they would be repeated in the next life.
const grace = time.Second

// Run plays the contacts and delivers webhooks until ctx ends, then returns nil
// with every goroutine of its own ended. It returns an error when the journal
// cannot be written or another Run is under way.
func (s *Simulator) Run(ctx context.Context) error {
	if err := s.startRunning(); err != nil {
		return err
	}
	defer s.stopRunning()

	client := s.newClient()
	defer client.CloseIdleConnections()
	attempts, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()

	work := make(chan *delivery)
	var workers sync.WaitGroup
	for range s.cfg.Delivery.Concurrency {
		workers.Go(func() {
			for d := range work {
				s.deliver(attempts, client, d)
			}
		})
	}
	err := s.dispatch(ctx, work)
	close(work)
	last := time.AfterFunc(grace, abort)
	defer last.Stop()
	workers.Wait()
	return err
}

func (s *Simulator) startRunning() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	if s.running {
		return errors.New("the simulator is running already")
	}
	s.running = true
	return nil
}

func (s *Simulator) stopRunning() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = false
}

func (s *Simulator) newClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			MaxIdleConnsPerHost: s.cfg.Delivery.Concurrency,
			IdleConnTimeout:     30 * time.Second,
		},
		// A redirect is no 2xx.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// dispatch does what falls due and hands deliveries to the workers. Contacts
// never wait for a slow receiver; only deliveries do.
func (s *Simulator) dispatch(ctx context.Context, work chan<- *delivery) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var queue []*delivery
	for {
		due, wait, err := s.takeDue()
		queue = append(queue, due...)
		if err != nil {
			s.putBack(queue)
			return err
		}
		var free chan<- *delivery
		var first *delivery
		if len(queue) > 0 {
			free, first = work, queue[0]
		}
		timer.Reset(wait)
		select {
		case free <- first:
			queue = queue[1:]
		case <-timer.C:
		case <-s.wake:
		case <-ctx.Done():
			s.putBack(queue)
			return nil
		}
	}
}

// takeDue plays what has fallen due and returns the deliveries to make and how
// long nothing more is to do.
func (s *Simulator) takeDue() (due []*delivery, wait time.Duration, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		t, isDue := s.agenda.due(now())
		switch {
		case !isDue:
			return due, s.agenda.untilNext(now()), nil
		case t.reply != nil:
			if err := s.happen(t.reply.reply(t.reply.id, t.reply.to, now())); err != nil {
				s.agenda.add(t)
				return due, 0, err
			}
		case t.tell != nil:
			due = append(due, s.deliveriesOf(t.tell)...)
		case t.retry != nil:
			due = append(due, t.retry)
		}
	}
}

// putBack keeps what no worker took for the next Run.
func (s *Simulator) putBack(queue []*delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range queue {
		s.agenda.add(task{at: d.notice.at, retry: d})
	}
}
