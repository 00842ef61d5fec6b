package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
)

// run is one seed's story.
type run struct {
	*world
	begun     time.Time
	rested    time.Duration // after all had healed
	campaigns []uuid.UUID   // in the plan's order; the nil id until it is started

	mu        sync.Mutex
	inflicted map[deed]int
	pauses    []span
	cancelled map[uuid.UUID]time.Time // when that was answered
	frozen    []frost

	// deciding is held while an admin decides about campaigns, one decision at a time.
	deciding sync.Mutex
	held     map[uuid.UUID]bool // paused on purpose, for a while
	doubtful map[uuid.UUID]bool // nobody knows whether, or when, it was resumed
}

// deed is what was done to what kind of thing.
type deed struct {
	what what
	to   string
}

// span is a time in which a campaign was paused: from when that was answered until
// its end was asked for.
type span struct {
	campaign uuid.UUID
	from, to time.Time
}

// frost is a time in which a process was frozen.
type frost struct {
	who      string
	from, to time.Time
}

// live does all that the plan says, mends everything, and waits until all has come
// to rest. unrest says what has not.
func (r *run) live(ctx context.Context) (unrest, err error) {
	categories, err := r.prepare(ctx)
	if err != nil {
		return nil, fmt.Errorf("preparing the contacts: %w", err)
	}
	r.begun = time.Now()
	r.campaigns, r.inflicted = make([]uuid.UUID, len(r.plan.campaigns)), map[deed]int{}
	r.cancelled, r.held, r.doubtful = map[uuid.UUID]time.Time{}, map[uuid.UUID]bool{}, map[uuid.UUID]bool{}
	looking, stopLooking := context.WithCancel(ctx)
	var admin sync.WaitGroup
	admin.Go(func() { r.lookAfter(looking) })
	defer admin.Wait()
	defer stopLooking()

	happening, during := errgroup.WithContext(ctx)
	for i := range r.plan.campaigns {
		happening.Go(func() error { return r.startCampaign(during, i, categories[i]) })
	}
	for victim, acts := range r.byVictim() {
		happening.Go(func() error {
			for _, a := range acts {
				if r.sleepUntil(during, a.at); during.Err() != nil {
					return during.Err()
				}
				if err := r.inflict(during, a); err != nil {
					return fmt.Errorf("%s: %s: %w", victim, a.what, err)
				}
			}
			return nil
		})
	}
	if err := happening.Wait(); err != nil {
		return nil, err
	}
	if err := r.heal(ctx); err != nil {
		return nil, err
	}
	healed := time.Now()
	unrest = r.awaitRest(ctx)
	r.rested = time.Since(healed)
	return unrest, nil
}

func (r *run) startCampaign(ctx context.Context, i int, category uuid.UUID) error {
	r.sleepUntil(ctx, r.plan.campaigns[i].startsAt)
	id, err := r.launch(ctx, r.plan.campaigns[i], category)
	if err != nil {
		return fmt.Errorf("starting %s: %w", r.plan.campaigns[i].name, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.campaigns[i] = id
	return nil
}

func (r *run) byVictim() map[string][]act {
	all := map[string][]act{}
	for _, a := range r.plan.acts {
		all[a.victim] = append(all[a.victim], a)
	}
	return all
}

func (r *run) sleepUntil(ctx context.Context, at time.Duration) {
	sleep(ctx, time.Until(r.begun.Add(at)))
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(max(d, 0))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// inflict breaks one thing and mends it when its time is up.
func (r *run) inflict(ctx context.Context, a act) error {
	over := func() { r.sleepUntil(ctx, a.at+a.length) }
	r.note(a)
	if l, ok := r.links[a.victim]; ok {
		if err := l.set(a.what, a.amount); err != nil {
			return err
		}
		over()
		return l.set(fine, 0)
	}
	switch a.victim {
	case theConduct:
		within, cancel := context.WithDeadline(ctx, r.begun.Add(a.at+a.length))
		defer cancel()
		_ = r.conduct(within, a.what) // the provider may be away for as long
		over()
		return r.conduct(ctx, fine)
	case theAdmin:
		return r.pause(ctx, a, over)
	case theLast:
		return r.cancel(ctx, a)
	}
	return r.strike(ctx, a, over)
}

// strike breaks a process, or all of them at once.
func (r *run) strike(ctx context.Context, a act, over func()) error {
	who := []string{a.victim}
	if a.victim == theWhole {
		who = everybody
	}
	switch a.what {
	case freeze:
		begun := time.Now()
		if err := r.victim(a.victim).freeze(); err != nil {
			return err
		}
		over()
		defer func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.frozen = append(r.frozen, frost{a.victim, begun, time.Now()})
		}()
		return r.victim(a.victim).thaw()
	case stop:
		if err := r.each(who, victim.stop); err != nil {
			return err
		}
	default:
		if err := r.each(who, victim.kill); err != nil {
			return err
		}
	}
	over()
	starting, done := context.WithTimeout(ctx, 2*time.Minute)
	defer done()
	return r.each(who, func(v victim) error { return until(starting, v.start) })
}

// each does the same to several processes at once.
func (r *run) each(who []string, do func(victim) error) error {
	var all errgroup.Group
	for _, name := range who {
		all.Go(func() error { return do(r.victim(name)) })
	}
	return all.Wait()
}

func (r *run) note(a act) {
	to := a.victim
	switch _, isLink := r.links[a.victim]; {
	case isLink:
		to = "links"
	case slices.Contains(relanceProcesses, a.victim):
		to = a.victim[:len(a.victim)-len("-0")]
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inflicted[deed{a.what, to}]++
}

// pause pauses a campaign, unless it is over or has not begun, and lets lookAfter
// resume it.
func (r *run) pause(ctx context.Context, a act, over func()) error {
	r.mu.Lock()
	id := r.campaigns[a.campaign]
	r.mu.Unlock()
	if id == uuid.Nil {
		return nil
	}
	within, cancel := context.WithDeadline(ctx, r.begun.Add(a.at+a.length))
	defer cancel()
	r.deciding.Lock()
	r.held[id] = true
	err := r.admin(within, http.MethodPost, "/campaigns/"+id.String()+"/pause", "", "", nil)
	answered, certain := time.Now(), err == nil && !r.doubtful[id]
	r.deciding.Unlock()
	over()
	r.deciding.Lock()
	defer r.deciding.Unlock()
	delete(r.held, id)
	if certain {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.pauses = append(r.pauses, span{campaign: id, from: answered, to: time.Now()})
	}
	return nil
}

// cancel cancels a campaign, unless it is over or has not begun.
func (r *run) cancel(ctx context.Context, a act) error {
	r.mu.Lock()
	id := r.campaigns[a.campaign]
	r.mu.Unlock()
	if id == uuid.Nil {
		return nil
	}
	var refused *refusal
	err := r.admin(ctx, http.MethodPost, "/campaigns/"+id.String()+"/cancel", "", "", nil)
	if errors.As(err, &refused) { // it has been completed
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cancelled[id] = time.Now()
	return err
}

// lookAfter is an admin who resumes whatever has paused itself, once a second.
func (r *run) lookAfter(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		r.resumeAll(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (r *run) resumeAll(ctx context.Context) {
	r.deciding.Lock()
	defer r.deciding.Unlock()
	for _, id := range r.toResume(ctx) {
		within, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := r.admin(within, http.MethodPost, "/campaigns/"+id.String()+"/resume", "", "", nil)
		cancel()
		// It may yet be done, at any time.
		r.doubtful[id] = r.doubtful[id] || errors.Is(err, context.DeadlineExceeded)
	}
}

// toResume lists campaigns that are paused, and one of those that a halted device
// holds up. While the database is away nobody knows of any.
func (r *run) toResume(ctx context.Context) (ids []uuid.UUID) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	rows, err := r.db.QueryContext(ctx, `
		SELECT id FROM campaigns WHERE status = 'paused'
		   OR status = 'running' AND EXISTS (SELECT FROM devices WHERE halted_at IS NOT NULL)`)
	if err != nil {
		return nil
	}
	defer rows.Close()
	for rows.Next() {
		var id uuid.UUID
		if rows.Scan(&id) == nil && !r.held[id] {
			ids = append(ids, id)
		}
	}
	if rows.Err() != nil {
		return nil
	}
	return ids
}

// heal mends whatever is still broken.
func (r *run) heal(ctx context.Context) error {
	var errs []error
	for _, l := range r.links {
		errs = append(errs, l.set(fine, 0))
	}
	for _, name := range everybody {
		errs = append(errs, r.victim(name).start(), r.victim(name).thaw())
	}
	within, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return errors.Join(append(errs, r.conduct(within, fine))...)
}
