package store_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

func TestTheCourseOfACampaignHasEveryMessageAndReplyInItsStep(t *testing.T) {
	b := open(t)
	contacts := b.contacts(4)
	id := b.launched(contacts)
	admitted := b.admit(id, 1, 3)
	b.send(key(id, admitted[0], campaign.Message1))
	b.send(key(id, admitted[1], campaign.Message1))
	b.ahead(3 * time.Hour)
	b.reply(0, "in time")
	b.send(key(id, contacts[0], campaign.Message2))
	b.ahead(5 * time.Hour)
	b.reply(0, "again")

	course, err := b.CampaignCourse(t.Context(), id, 6, time.Minute)
	require.NoError(t, err)

	assert.Equal(t, campaign.Running, course.Status)
	assert.Equal(t, 1, course.Waiting)
	assert.Zero(t, course.RecentMessage1)
	assert.Equal(t, time.Hour, course.Step)
	start := *course.StartedAt
	var got []store.CourseStep
	for _, step := range course.Steps {
		step.At = step.At.UTC()
		got = append(got, step)
	}
	assert.Equal(t, []store.CourseStep{
		{At: start.UTC(), Message1: 2},
		{At: start.Add(3 * time.Hour).UTC(), Message2: 1, Replies: 1},
		{At: start.Add(5 * time.Hour).UTC(), Replies: 1},
	}, got)
	require.NotNil(t, course.OpenUntil, "one was admitted and not sent yet: it may take a whole window from now")
	assert.Equal(t, 24*time.Hour, course.OpenUntil.Sub(course.At).Round(time.Second))

	_, err = b.CampaignCourse(t.Context(), uuid.New(), 6, time.Minute)
	require.ErrorIs(t, err, store.ErrNotFound)
}

func TestACampaignThatHasNotStartedHasNoCourse(t *testing.T) {
	b := open(t)
	draft := store.Campaign{Name: "Test", Status: campaign.Draft, Message1: "Hello", Message2: "Thanks", ContactIDs: b.contacts(1)}
	require.NoError(t, b.CreateCampaign(t.Context(), &draft))

	course, err := b.CampaignCourse(t.Context(), draft.ID, 6, time.Minute)

	require.NoError(t, err)
	assert.Empty(t, course.Steps)
	assert.Nil(t, course.StartedAt)
}

func TestARunningCampaignIsNoRivalOfItsOwn(t *testing.T) {
	b := open(t)
	id := b.launched(b.contacts(3))

	against, err := b.ForecastPlan(t.Context(), uuid.Nil)
	require.NoError(t, err)
	alone, err := b.ForecastPlan(t.Context(), id)
	require.NoError(t, err)

	assert.Len(t, against.Others, 1)
	assert.Empty(t, alone.Others)
}
